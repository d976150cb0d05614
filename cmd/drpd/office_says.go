package main

import (
	"fmt"
	"log/slog"

	"drpd/core/daemon"
)

// sees begins with what watches the work, and says in the log what runs.
func (o *office) sees() (err error) {
	if o.watch != nil {
		return nil
	}
	o.log = slog.New(slog.NewJSONHandler(o.err, &slog.HandlerOptions{Level: &o.level}))
	o.level.Set(levelOf(o.parts.config.Watch.Level)) // before the first line
	o.parts.says(o.log)
	if o.watch, err = newMonitor(o.app, o.parts.config, o.log); err != nil {
		return err
	}
	o.seeing()
	if o.fleet == nil {
		o.unit.ready(o.name, "starts")
	}
	return nil
}

// seeing begins with the monitor, and with the level of the log.
func (o *office) seeing() {
	o.level.Set(levelOf(o.parts.config.Watch.Level))
	o.unsee = o.watch.start(o.app, o.parts.config.Watch.Listen)
}

// standsBy is told each time that another has the right to run.
func (o *office) standsBy() {
	o.watch.standBy()
	o.unit.expects(o.name, "stands by: another drpd has the right to run", lateCycle)
}

// isCutOff is told each time that the ledger cannot be reached.
func (o *office) isCutOff(why error) {
	o.watch.cutOff(why)
	o.unit.expects(o.name, "waits for the server of its state", lateCycle)
}

// ends ends what watches the work, and says in the log that nothing runs any more.
func (o *office) ends(err error) {
	if o.unsee != nil {
		o.unsee()
	}
	if err != nil {
		o.log.Error("drpd ends", "error", err)
		return
	}
	o.log.Info("drpd stops")
}

// status is what the service manager shows of the last cycle.
func (o *office) status(r daemon.CycleStats, err error) string {
	ended := "the last cycle ended at " + o.now().In(london()).Format("15:04 on 2 January")
	switch {
	case err != nil:
		return ended + " and broke off: drpd status says why"
	case len(r.Lacks) > 0:
		return fmt.Sprintf("%s, and not all could be proved (%d): drpd status says what", ended, len(r.Lacks))
	}
	return ended + ", and all was proved"
}

// says says in the log what a cycle did: aloud where it did something.
func (o *office) says(r daemon.CycleStats, err error) {
	if err != nil {
		o.log.Error("the cycle broke off; the next one goes on where it stopped", "error", err)
		return
	}
	level := slog.LevelDebug
	if r.Polled+r.Placed+r.Decided+r.Sent+r.Written+r.Failed > 0 || len(r.Lacks) > 0 {
		level = slog.LevelInfo
	}
	o.log.Log(o.ctx, level, "cycle", "polled", r.Polled, "decided", r.Decided, "sent", r.Sent, "written", r.Written, "held", r.Held,
		"failed", r.Failed, "quarantined", r.Quarantined)
	for _, x := range r.Lacks {
		o.log.Warn("not proved", "what", x.What, "count", x.Count, "says", x.Says)
	}
}

// saysWaits says in the log where the daemon and the commands wait for each other.
func (o *office) saysWaits() error {
	why, err := o.ledger.Waits(o.ctx)
	if why != "" {
		o.log.Warn("the state cannot be read while it is written", "why", why)
	}
	return err
}
