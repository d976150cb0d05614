"""What a council might run every morning in drpd's place: it reads the record system, finds the disputes whose five working days
are over, writes to three people about each, and a case note. It knows one rule, keeps nothing of what it did, and says nothing why.

    overdue.py DATABASE FOLDER TODAY
"""

import datetime
import email.message
import email.policy
import email.utils
import os
import sqlite3
import sys

database, folder, today = sys.argv[1], sys.argv[2], datetime.date.fromisoformat(sys.argv[3])
HOLIDAYS = {datetime.date(2026, 12, 25), datetime.date(2026, 12, 28)}


def limit(day, n):
    while n:
        day += datetime.timedelta(1)
        if day.weekday() < 5 and day not in HOLIDAYS:
            n -= 1
    return day


db = sqlite3.connect(database)
db.row_factory = sqlite3.Row
db.execute("PRAGMA synchronous = OFF")
answers = {}
for form, question, answer in db.execute("SELECT FORM_ID, QUESTION_CODE, ANSWER FROM CF_FORM_ANSWERS"):
    answers.setdefault(form, {})[question] = answer
people = {}
for row in db.execute("SELECT * FROM CF_INVOLVED_WORKERS"):
    people.setdefault(row["PI_NUMBER"], {})[row["ROLE_TITLE"]] = row
letters = notes = 0
for form in db.execute("SELECT * FROM CF_FORMS WHERE FORM_TYPE = 'DRP'").fetchall():
    said = answers.get(form["FORM_ID"], {})
    due = limit(datetime.date.fromisoformat(form["RAISED_ON"]), 5)
    if form["STATE"] == "Authorised" or said.get("DRP_RESOLVED") == "yes" or due >= today:
        continue
    who = people[form["PI_NUMBER"]]
    late = f"The team manager had until {due:%A %d %B %Y} to answer dispute {form['FORM_ID']} ({said['DRP_THEME']}) and has not."
    for title in sorted(who)[:3]:
        m = email.message.EmailMessage(policy=email.policy.SMTP)
        m["From"], m["To"] = "Dispute resolution <drp@fairshire.example>", f"{who[title]['FULL_NAME']} <{who[title]['EMAIL']}>"
        m["Subject"], m["Date"] = f"Dispute {form['FORM_ID']} is overdue", email.utils.formatdate()
        m["Message-ID"] = email.utils.make_msgid(domain="fairshire.example")
        m.set_content(f"Dear {who[title]['FULL_NAME']},\n\n{late}\n\nWhat is wanted: {said['DRP_DESIRED']}\nWhat was tried: {said['DRP_STEPS']}\n")
        m.add_alternative(f"<html><body><p>Dear {who[title]['FULL_NAME']},</p><p>{late}</p></body></html>", subtype="html")
        with open(os.path.join(folder, f"{form['FORM_ID']}-{title}.eml"), "wb") as f:
            f.write(m.as_bytes())
        letters += 1
    db.execute("INSERT INTO CF_OBSERVATIONS VALUES (?, ?, 'DRP', ?, 'script', ?)", ("s-" + form["FORM_ID"], form["PI_NUMBER"], late, str(today)))
    notes += 1
db.commit()
print(letters, notes)
