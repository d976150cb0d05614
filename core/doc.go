// Package core holds drpd's core, and this page is the map of the code.
//
//	cmd/drpd/          the commands; wire.go builds everything by hand, config/ reads the configuration
//	core/strict/       YAML files that people write: every fault at its line, with overlays over them
//	core/workday/      civil dates, working days, the proof of a count
//	core/drp/          the words: evidence, facts, effects; the fold from readings to a file
//	core/policy/       a procedure as data: read, checked, shown, drawn, compared; madeup/ writes some for tests
//	core/reconcile/    Decide, pure; cases/ runs a policy's own tests
//	core/letter/       a decision put into words
//	core/layout/       a document as values, and its writing as text, page, CSV and JSON
//	core/report/       what people read of many disputes, or of one: overdue, quarters, a referral; as values
//	core/audit/        drpd's own history, and how others can prove it: its chain, its tree, its anchors
//	core/alarm/        when somebody is told that drpd's work cannot be proved
//	core/port/         the values that pass between the daemon and its adapters, and the errors that either answers with
//	core/daemon/       the cycle and the ports it needs; porttest/ holds their conformance suites and fakes
//	mapping/           rows, forms and letters into facts, and blank forms; one file a system, one a form, a lexicon
//	adapters/          one folder a format or protocol; apart/ has messages read in a process of its own, which drpd starts of itself
//	policies/          one folder a procedure, with its cases
//	testdata/          the demo council, and small procedures that show what the language says
//
// The path, left to right: a source's evidence is stored untouched; it is read (which follows from it alone; of messages in a
// process of its own, cmd/drpd/readform.go) and placed with its dispute;
// Decide (pure) says what must follow; the decision is stored; the daemon delivers it and stores the receipt, which is
// evidence like everything else. deps_test.go holds the arrows between the packages.
package core
