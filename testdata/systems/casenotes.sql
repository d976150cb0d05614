-- A small record system in which disputes are case notes: its tables and a few rows, for a council that does not exist.
CREATE TABLE CASE_NOTES (NOTE_ID BIGINT PRIMARY KEY, PERSON_ID BIGINT NOT NULL, NOTE_TYPE VARCHAR(40) NOT NULL, NOTE_DATE DATE NOT NULL, AUTHOR_ID BIGINT NOT NULL, NOTE_TEXT VARCHAR(2000), COPIED_FROM BIGINT);
INSERT INTO CASE_NOTES VALUES
  (4990, 20401, 'Visit', '2026-03-01', 121, 'Seen at school.', NULL),
  (5001, 20401, 'DRP raised', '2026-03-02', 101, 'Drift: therapy has not begun.', NULL),
  (5002, 20402, 'DRP raised', '2026-03-04', 102, 'The placement is at risk.', NULL),
  (5003, 20403, 'DRP raised', '2026-03-04', 102, 'The placement is at risk.', 5002),
  (5004, 20499, 'DRP raised', '2026-03-04', 102, 'A test.', NULL),
  (5005, 20401, 'DRP discussed', '2026-03-03', 101, 'With the team manager.', NULL),
  (5006, 20401, 'DRP answer stage 1', '2026-03-05', 131, 'Therapy begins in April.', NULL),
  (5007, 20402, 'DRP resolved', '2026-03-10', 102, 'Agreed.', NULL),
  (5008, 20403, 'DRP resolved', '2026-03-10', 102, 'Agreed.', 5007),
  (5009, 20402, 'DRP closed', '2026-03-11', 102, NULL, NULL),
  (5010, 20401, 'Visit', '2026-03-12', 121, 'DRP raised with the family.', NULL);
CREATE TABLE CLIENT_WORKERS (PERSON_ID BIGINT, ROLE_TITLE VARCHAR(20), WORKER_ID BIGINT, WORKER_NAME VARCHAR(60), WORKER_EMAIL VARCHAR(80), TEAM VARCHAR(40), START_DATE DATE, END_DATE DATE);
INSERT INTO CLIENT_WORKERS VALUES
  (20401, 'IRO', 101, 'Ines Rowan', 'ines.rowan@fairshire.example', 'Reviewing', '2025-01-06', NULL),
  (20401, 'SW', 121, 'Sam Wyke', 'sam.wyke@fairshire.example', 'East', '2025-01-06', NULL),
  (20401, 'TM', 131, 'Tess Mallory', 'tess.mallory@fairshire.example', 'East', '2025-01-06', NULL),
  (20402, 'IRO', 102, 'Ivor Reed', 'ivor.reed@fairshire.example', 'Reviewing', '2025-01-06', NULL),
  (20403, 'IRO', 102, 'Ivor Reed', 'ivor.reed@fairshire.example', 'Reviewing', '2025-01-06', NULL);
CREATE TABLE CLIENTS (PERSON_ID BIGINT PRIMARY KEY, FIRST_NAME VARCHAR(40), LAST_NAME VARCHAR(40), TEAM VARCHAR(40), RESTRICTED VARCHAR(1), CLIENT_KIND VARCHAR(20));
INSERT INTO CLIENTS VALUES
  (20401, 'Ada', 'Brook', 'East', 'N', NULL),
  (20402, 'Cy', 'Dale', 'West', 'Y', NULL),
  (20403, 'Eve', 'Dale', 'West', 'N', NULL),
  (20499, 'Test', 'Person', 'East', 'N', 'TEST');
CREATE TABLE DRPD_CASE_NOTES (DRPD_REF VARCHAR(64) PRIMARY KEY, PERSON_ID BIGINT NOT NULL, NOTE_TYPE VARCHAR(60) NOT NULL, NOTE_TEXT TEXT NOT NULL, ENTERED_BY VARCHAR(40) NOT NULL, ENTERED_ON DATE NOT NULL);
