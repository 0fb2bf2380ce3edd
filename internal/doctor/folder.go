package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/natsd"
)

func itoa(n int) string { return strconv.Itoa(n) }

// format: what was stored can be read by this release.
func (e *examination) format() natsd.Found {
	const check = "store format"
	there, err := natsd.Look(e.DataDir)
	switch {
	case errors.Is(err, natsd.ErrNewerFormat):
		e.say(check, Fail, err.Error(), "run the release that wrote it, or a later one")
	case errors.Is(err, natsd.ErrForeignData):
		e.say(check, Fail, err.Error(), "name the broker's folder with --dir, or restore it from a backup")
	case err != nil:
		e.say(check, Fail, err.Error(), "run as the broker's user, and see to the disk")
	case there.Version == 0:
		e.say(check, Warn, "nothing is stored in "+e.DataDir+" yet", "start the broker, or name its folder with --dir")
	default:
		e.say(check, OK, fmt.Sprintf("version %d, which this release reads", there.Version), "")
	}
	switch {
	case there.InUse && e.Broker == nil:
		e.say("broker", Warn, "a broker runs on this folder that has not said where it is reached", "wait until it is up, then look again")
	case there.InUse:
		e.say("broker", OK, "runs at "+e.Broker.URL, "")
	case e.Broker != nil:
		e.say("broker", Fail, "it has ended without a word: its run file is there and it is not", "start it again, and look into its log for why")
		e.Broker = nil
	default:
		e.say("broker", Warn, "none runs on this folder: looked at what is stored alone", "start it with \"watchfloor up\"")
	}
	return there
}

// keys: they are there, whole, and their owner's alone.
func (e *examination) keys() {
	const check = "keys"
	have, err := account.HasKeys(e.KeysDir)
	switch {
	case err != nil:
		e.say(check, Fail, err.Error(), "run as the broker's user")
		return
	case !have:
		e.say(check, Fail, "there are no keys in "+e.KeysDir+": what is stored cannot be read", "bring back their copy: the folder, or watchfloor key restore FILE; with the data gone too, watchfloor restore")
		return
	}
	var open []string
	err = filepath.WalkDir(e.KeysDir, func(path string, _ fs.DirEntry, err error) error {
		info, serr := os.Stat(path)
		if err := errors.Join(err, serr); err != nil {
			return err
		}
		if filepath.Ext(path) != ".pub" && info.Mode().Perm()&0o077 != 0 {
			open = append(open, fmt.Sprintf("%s has mode %04o", path, info.Mode().Perm()))
		}
		return nil
	})
	switch {
	case err != nil:
		e.say(check, Fail, err.Error(), "run as the broker's user")
	case len(open) > 0:
		e.say(check, Fail, "others can read keys: "+some(open), "run chmod -R go= "+e.KeysDir+", and think of them as known to others", open...)
	default:
		if _, err := account.CopyKeys(e.KeysDir, e.DataDir, e.Now()); err != nil {
			e.say(check, Fail, err.Error(), "bring back their copy: the folder, or watchfloor key restore FILE; with the data gone too, watchfloor restore")
			return
		}
		e.say(check, OK, "readable by their owner alone", "")
	}
}

// policy: it can be read, keeps cells apart, and labels them as what is stored.
func (e *examination) policy() {
	const check = "policy"
	if e.PolicyErr != nil {
		e.say(check, Fail, e.PolicyErr.Error(), "correct the file: watchfloor policy check")
		return
	}
	found, err := broker.Prove(e.Policy)
	if err == nil {
		err = found.Err()
	}
	if err == nil {
		err = broker.CheckLabels(e.DataDir, e.Policy)
	}
	if err != nil {
		e.say(check, Fail, err.Error(), "correct the policy: watchfloor policy prove shows the path of a leak")
		return
	}
	e.say(check, OK, fmt.Sprintf("%s: %d cells, nobody reads above or across", e.Policy.Version, len(e.Policy.Cells)), "")
}

// disk: there is room for what comes.
func (e *examination) disk() {
	const check = "disk space"
	room, err := roomOf(nearest(e.DataDir))
	if err != nil {
		e.say(check, Fail, err.Error(), "see to the disk of "+e.DataDir)
		return
	}
	what := fmt.Sprintf("%s free of %s", bytes(room.free), bytes(room.size))
	var lasts time.Duration
	if e.rate > 0 {
		// Beyond a century nothing is said.
		if s := float64(room.free) / e.rate; s < 100*365*24*3600 {
			lasts = time.Duration(s) * time.Second
			what += fmt.Sprintf(", enough for %s at the rate so far (%s a day)", days(lasts), bytes(uint64(e.rate*24*3600)))
		}
	}
	// With less than this the broker takes no reports (unless it was told otherwise).
	tight := min(room.size/20, 1<<30)
	switch {
	case room.readOnly:
		e.say(check, Fail, "the disk is mounted read-only", "find out why (dmesg), then mount it to be written")
	case room.free < tight || lasts > 0 && lasts < 24*time.Hour || room.inodes > 0 && room.freeInodes < room.inodes/1000:
		e.say(check, Fail, what, "make room now: with less than its reserve a broker takes no reports")
	case room.free < e.Reserve || room.free < 2*tight || lasts > 0 && lasts < 7*24*time.Hour:
		e.say(check, Warn, what, "make room, or shorten retention in the policy")
	default:
		e.say(check, OK, what, "")
	}
}

// writeWithin is how long a small write may take before the disk stands still.
const writeWithin = 10 * time.Second

// write: what is written reaches the disk.
func (e *examination) write() {
	const check = "disk write"
	dir, began := nearest(e.DataDir), time.Now()
	done := make(chan error, 1)
	go func() { done <- tryWrite(dir) }()
	select {
	case err := <-done:
		took := time.Since(began)
		switch {
		case err != nil:
			e.say(check, Fail, err.Error(), "see to the disk: a broker that cannot write admits nothing")
		case took > time.Second:
			e.say(check, Warn, fmt.Sprintf("a synced write of 4 KiB took %s", took.Round(time.Millisecond)), "every acknowledgement waits for such a write: look for what loads the disk")
		default:
			e.say(check, OK, fmt.Sprintf("a synced write of 4 KiB took %s", took.Round(10*time.Microsecond)), "")
		}
	case <-time.After(writeWithin):
		e.say(check, Fail, fmt.Sprintf("a synced write of 4 KiB has not ended after %s", writeWithin), "the disk stands still: see dmesg, and move the store")
	}
}

func tryWrite(dir string) error {
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 4096))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}

// nearest is the folder, or the one above that exists.
func nearest(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

func bytes(n uint64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	v, i := float64(n)/unit, 0
	for v >= unit && i < 4 {
		v, i = v/unit, i+1
	}
	return fmt.Sprintf("%.1f %ciB", v, "KMGTP"[i])
}

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return d.Round(time.Minute).String()
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}
