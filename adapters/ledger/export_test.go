package ledger

// Tables is how many tables a copy takes.
var Tables = len(tables)
