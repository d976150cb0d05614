-- A small Standard Safeguarding Dataset as drpd reads it: its tables and a few rows, for a council that does not exist.
CREATE TABLE ssd_person (pers_person_id VARCHAR(40) PRIMARY KEY, pers_legacy_id VARCHAR(40), pers_forename VARCHAR(40), pers_surname VARCHAR(40));
INSERT INTO ssd_person VALUES
  ('20401', NULL, 'Ada', 'Brook'),
  ('20402', NULL, 'Cy', 'Dale'),
  ('20403', NULL, 'Eve', 'Dale'),
  ('20499', NULL, 'Test', 'Person');
CREATE TABLE drp_person_marks (pers_person_id VARCHAR(40), team VARCHAR(40), restricted VARCHAR(1));
INSERT INTO drp_person_marks VALUES
  ('20401', 'East', 'N'),
  ('20402', 'West', 'Y'),
  ('20403', 'West', 'N'),
  ('20499', 'East', 'N');
CREATE TABLE ssd_department (dept_team_id VARCHAR(48) PRIMARY KEY, dept_team_name VARCHAR(255));
INSERT INTO ssd_department VALUES
  ('900', 'Reviewing'),
  ('901', 'East');
CREATE TABLE ssd_professionals (prof_professional_id VARCHAR(40) PRIMARY KEY, prof_professional_name VARCHAR(80));
INSERT INTO ssd_professionals VALUES
  ('w-101', 'Ines Rowan'),
  ('w-102', 'Ivor Reed'),
  ('w-121', 'Sam Wyke'),
  ('w-122', 'Kit Lowe'),
  ('w-131', 'Tess Mallory');
CREATE TABLE drp_contacts (prof_professional_id VARCHAR(40), email VARCHAR(80));
INSERT INTO drp_contacts VALUES
  ('w-101', 'ines.rowan@fairshire.example'),
  ('w-102', 'ivor.reed@fairshire.example'),
  ('w-121', 'sam.wyke@fairshire.example'),
  ('w-131', 'tess.mallory@fairshire.example');
CREATE TABLE ssd_involvements (invo_involvements_id VARCHAR(40) PRIMARY KEY, invo_person_id VARCHAR(40), invo_professional_id VARCHAR(40), invo_professional_role_id VARCHAR(20), invo_professional_team VARCHAR(40), invo_involvement_start_date DATETIME, invo_involvement_end_date DATETIME);
INSERT INTO ssd_involvements VALUES
  ('1', '20401', 'w-101', 'IRO', '900', '2025-01-06 00:00:00', NULL),
  ('2', '20401', 'w-121', 'CW', '901', '2025-01-06 00:00:00', NULL),
  ('3', '20401', 'w-131', 'TM', '901', '2025-01-06 00:00:00', NULL),
  ('4', '20402', 'w-102', 'IRO', '900', '2025-01-06 00:00:00', NULL),
  ('5', '20403', 'w-102', 'IRO', '900', '2025-01-06 00:00:00', NULL),
  ('6', '20403', 'w-122', '16PLUS', '901', '2025-01-06 00:00:00', NULL);
