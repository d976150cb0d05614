package port

// Setting is the name of a value that the ledger keeps for as long as nobody changes it. The names are here, and nowhere else.
type Setting string

// The settings of a ledger as a whole.
const (
	Paused     Setting = "paused"        // not empty: nothing goes out but emergencies
	LastDay    Setting = "last day"      // the day on which drpd last worked
	Holders    Setting = "holders"       // who held the roles of the roster when that was last looked at: of each role a digest of its holders
	Guard      Setting = "guard"         // why everything is held
	DatesMoved Setting = "guard/dates"   // the disputes whose date has moved since it was told, and of which of them nothing is said meanwhile
	BeingRead  Setting = "being read"    // what is being read at the moment: if drpd ends, that may be why
	Restored   Setting = "restored"      // when this ledger was found to be an older one that was put back
	LastCycle  Setting = "cycle"         // when drpd last went through all its work, and what became of that
	Anchored   Setting = "anchored"      // the tree of drpd's history as it was anchored last, to go on from there
	Reload     Setting = "reload"        // when somebody has last asked at the console that the configuration be taken over anew
	Reloaded   Setting = "reloaded"      // what became of the last time that it was to be taken over
	Moves      Setting = "moves"         // the steps from one record system to another that a person has taken
	Released   Setting = "guard/release" // the day on which a person has let go what was more than usual: its limits of a day hold no more
)

// RemarkOn is what is to be looked at in a source.
func RemarkOn(source string) Setting { return Setting("remark/" + source) }

// MappingOf is the mapping with which a source was read last.
func MappingOf(source string) Setting { return Setting("mapping/" + source) }

// KeysOf is whether the keys of a record system's records begin with its name.
func KeysOf(source string) Setting { return Setting("keys/" + source) }

// RecordBefore is the dispute that has this record in a system that is not the one in use.
func RecordBefore(record string) Setting { return Setting("record/" + record) }

// AcceptedBy is who accepted a piece of evidence that had waited for a person.
func AcceptedBy(evidence string) Setting { return Setting("accept/" + evidence) }

// RowAcceptedBy is who accepted a version of a row, and with it the later ones.
func RowAcceptedBy(source, key string) Setting { return Setting("accept/" + source + "/" + key) }

// TiedTo is the dispute to which a person has tied a piece of evidence, or drp.Anew.
func TiedTo(evidence string) Setting { return Setting("tie/" + evidence) }

// AlikeTo is the dispute that a piece of evidence may be about: a person is still to say so once that one has ended.
func AlikeTo(evidence string) Setting { return Setting("alike/" + evidence) }

// ToldOfErasing is the message by which people are told that a dispute will be erased.
func ToldOfErasing(dispute string) Setting { return Setting("erasing/" + dispute) }

// GateRestored holds what may have gone before an older ledger was put back, where nobody but a person can find out.
const GateRestored = "restored"

// ArrivedBy is who said that a message whose end nobody knew has arrived.
func ArrivedBy(effect, person string) Setting { return Setting("arrived/" + effect + "/" + person) }

// GateGuard holds what was about to go when more was than usual.
const GateGuard = "guard"
