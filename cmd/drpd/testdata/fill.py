"""Fills in a form in LibreOffice, as somebody would who has it open, and saves it.

fill.py OFFICE PROFILE IN OUT, and on standard input a line for each answer: the table from 0, the label, the answer, with
tabs between them. A date or an option goes into its content control; of boxes, the one before the answer is ticked.
"""
import os
import subprocess
import sys
import time

import uno
from com.sun.star.beans import PropertyValue


def setting(name, value):
    p = PropertyValue()
    p.Name, p.Value = name, value
    return p


def each(container):
    e = container.createEnumeration()
    while e.hasMoreElements():
        yield e.nextElement()


def words(control):
    return [p for p in each(control) if p.TextPortionType == "Text" and p.String]


def write(context, doc, control, answer):
    """Types over all that a content control holds."""
    cursor = doc.CurrentController.ViewCursor
    cursor.gotoRange(words(control)[0].Start, False)
    cursor.gotoRange(words(control)[-1].End, True)
    dispatcher = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.DispatchHelper", context)
    dispatcher.executeDispatch(doc.CurrentController.Frame, ".uno:InsertText", "", 0, (setting("Text", answer),))


def fill(context, doc, cell, answer):
    portions = [p for paragraph in each(cell) for p in each(paragraph)]
    control = None
    for p in portions:
        if p.TextPortionType == "ContentControl":
            control = p.ContentControl
            if not control.Checkbox:
                control.ShowingPlaceHolder = False
                write(context, doc, control, answer)
                return
        elif control and p.String.strip() == answer:
            control.Checked = True
            words(control)[0].setString("\u2612")  # what a click does
            return
    if control:
        sys.exit("no box is beside " + answer)
    cell.setString(answer)


def connect(office, profile):
    pipe = "drpd%d" % os.getpid()
    program = subprocess.Popen([office, "-env:UserInstallation=file://" + profile, "--headless", "--norestore", "--accept=pipe,name=%s;urp;" % pipe], stderr=subprocess.DEVNULL)
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    while True:
        try:
            context = resolver.resolve("uno:pipe,name=%s;urp;StarOffice.ComponentContext" % pipe)
            return program, context, context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
        except Exception:
            if program.poll() is not None:
                sys.exit("LibreOffice ended by itself")
            time.sleep(0.2)


def main(office, profile, source, target):
    program, context, desktop = connect(office, profile)
    doc = desktop.loadComponentFromURL("file://" + source, "_blank", 0, (setting("Hidden", True),))
    for line in sys.stdin.read().splitlines():
        number, label, answer = line.split("\t")
        table = doc.TextTables.getByIndex(int(number))
        rows = [r for r in range(table.Rows.Count) if table.getCellByPosition(0, r).String == label]
        if len(rows) != 1:
            sys.exit("%d rows are headed %s" % (len(rows), label))
        fill(context, doc, table.getCellByPosition(1, rows[0]), answer)
    kind = {".docx": "MS Word 2007 XML", ".odt": "writer8"}[os.path.splitext(target)[1]]
    doc.storeToURL("file://" + target, (setting("FilterName", kind),))
    doc.close(True)
    try:
        desktop.terminate()
    except Exception:
        pass  # the connection goes with the program
    program.wait()


main(*sys.argv[1:])
