package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"
)

const (
	eventSource = "drpd"
	stopTime    = 2 * time.Minute // in which the service must have stopped
)

// Unit is what InstallService does, in words: Windows keeps no file of it.
func Unit(s Service) string {
	return fmt.Sprintf("service %s: %q %q under %s, started with the machine\n", s.Name, s.Program, s.Args, virtual(s))
}

// virtual is the account of the service: one of its own, without a password, unless another is named.
func virtual(s Service) string {
	if s.Account != "" {
		return s.Account
	}
	return `NT SERVICE\` + s.Name
}

// InstallService makes a service with an account of its own, which starts with the machine and again where it fails, and gives that account
// what it needs of the folders. It is not started now.
func InstallService(_ context.Context, s Service) (next []string, err error) {
	m, err := mgr.Connect()
	if err != nil {
		return nil, fmt.Errorf("the service manager does not answer (run this as an administrator): %w", err)
	}
	defer func() { _ = m.Disconnect() }()
	made, err := m.CreateService(s.Name, s.Program, mgr.Config{StartType: mgr.StartAutomatic, DelayedAutoStart: true, DisplayName: s.Name,
		Description: s.Says, ServiceStartName: virtual(s), SidType: windows.SERVICE_SID_TYPE_UNRESTRICTED}, s.Args...)
	if err != nil {
		return nil, fmt.Errorf("the service %s cannot be made: %w", s.Name, err)
	}
	defer func() { _ = made.Close() }()
	again := []mgr.RecoveryAction{{Type: mgr.ServiceRestart, Delay: 10 * time.Second}, {Type: mgr.ServiceRestart, Delay: time.Minute},
		{Type: mgr.ServiceRestart, Delay: 5 * time.Minute}} // and so on with the last
	const day = 24 * 60 * 60
	err = errors.Join(made.SetRecoveryActions(again, day), made.SetRecoveryActionsOnNonCrashFailures(true))
	if e := eventlog.InstallAsEventCreate(eventSource, eventlog.Error|eventlog.Warning|eventlog.Info); e != nil &&
		!strings.Contains(e.Error(), "exists") {
		err = errors.Join(err, fmt.Errorf("event log: %w", e))
	}
	sid, _, _, e := windows.LookupSID("", virtual(s))
	if e != nil {
		return nil, errors.Join(err, fmt.Errorf("the account %s cannot be found: %w", virtual(s), e))
	}
	err = errors.Join(err, grant(s.Folder, sid, windows.GENERIC_READ|windows.GENERIC_EXECUTE))
	for _, w := range s.Writes {
		if e := os.MkdirAll(w, 0o700); e != nil {
			err = errors.Join(err, e)
			continue
		}
		err = errors.Join(err, grant(w, sid, modify))
	}
	for _, p := range s.Private {
		err = errors.Join(err, alone(p, sid))
	}
	if err != nil { // half a service is none
		return nil, errors.Join(err, made.Delete())
	}
	return []string{"sc start " + s.Name}, nil
}

// opened opens a service.
func opened(name string, do func(*mgr.Service) error) error {
	m, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("the service manager does not answer (run this as an administrator): %w", err)
	}
	defer func() { _ = m.Disconnect() }()
	s, err := m.OpenService(name)
	if err != nil {
		return fmt.Errorf("there is no service of the name %s: %w", name, err)
	}
	defer func() { _ = s.Close() }()
	return do(s)
}

// RemoveService stops a service and takes it away. All files stay.
func RemoveService(ctx context.Context, name string) error {
	return opened(name, func(s *mgr.Service) error {
		_, err := s.Control(svc.Stop)
		if err != nil && !errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
			return fmt.Errorf("the service %s cannot be stopped: %w", name, err)
		}
		ctx, cancel := context.WithTimeout(ctx, stopTime)
		defer cancel()
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			state, err := s.Query()
			if err != nil || state.State == svc.Stopped {
				return errors.Join(err, s.Delete(), eventlog.Remove(eventSource))
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("the service %s does not stop: %w", name, ctx.Err())
			case <-tick.C:
			}
		}
	})
}

// StateOf asks the service manager how a service is.
func StateOf(_ context.Context, name string) (s ServiceState, err error) {
	err = opened(name, func(x *mgr.Service) error {
		state, err := x.Query()
		s.Installed = err == nil
		s.State = map[svc.State]string{svc.Stopped: "stopped", svc.StartPending: "starting", svc.StopPending: "stopping",
			svc.Running: "running", svc.Paused: "paused"}[state.State]
		if state.State == svc.Stopped && state.ServiceSpecificExitCode != 0 {
			s.State += fmt.Sprintf(", with the code %d", state.ServiceSpecificExitCode)
		}
		return err
	})
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		err = nil
	}
	return s, err
}

// Serve runs drpd as a service, where the service manager has started this process; served is false where it has not. A change of parameters
// (sc control drpd paramchange) asks for a reload.
func Serve(name string, run func(context.Context, <-chan os.Signal) int) (code int, served bool, err error) {
	if served, err = svc.IsWindowsService(); err != nil || !served {
		return 0, false, err
	}
	h := &handler{run: run}
	err = svc.Run(name, h)
	return h.code, true, err
}

type handler struct {
	run  func(context.Context, <-chan os.Signal) int
	code int
}

// Execute implements svc.Handler.
func (h *handler) Execute(_ []string, asks <-chan svc.ChangeRequest, says chan<- svc.Status) (bool, uint32) {
	const takes = svc.AcceptStop | svc.AcceptShutdown | svc.AcceptParamChange
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	reload, ended := make(chan os.Signal, 1), make(chan int, 1)
	go func() { ended <- h.run(ctx, reload) }()
	now := svc.Status{State: svc.Running, Accepts: takes}
	says <- now
	for {
		select {
		case h.code = <-ended:
			const configuration = 78
			if h.code != 0 {
				_ = SystemLog(fmt.Sprintf("drpd has ended with the code %d: its log says why, and drpd check what is wrong in the configuration", h.code))
			}
			if h.code == 0 || h.code == configuration { // a fault of the configuration does not go away by itself: it is not started again
				return false, 0
			}
			return true, uint32(h.code) //nolint:gosec // an exit code
		case ask := <-asks:
			switch ask.Cmd {
			case svc.Interrogate:
				says <- now
			case svc.ParamChange:
				select {
				case reload <- syscall.SIGHUP:
				default:
				}
				says <- now
			case svc.Stop, svc.Shutdown:
				now = svc.Status{State: svc.StopPending, WaitHint: uint32(stopTime / time.Millisecond)}
				says <- now
				stop()
			}
		}
	}
}
