package twins

import (
	"encoding/gob"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/consumers/worker"
)

// inChild makes the test binary run one world for another process.
const inChild = "WATCHFLOOR_TWINS_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(inChild) != "" {
		if err := serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "world:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// job is a world to run.
type job struct {
	Name      string
	Seed      uint64
	Steps     int
	Ticks     worker.Clock
	Dir, Keys string
	High      bool
}

// told is what a world tells of itself beside its tapes.
type told struct {
	Err                    string
	Admitted, Submitted    int
	IntelAdmitted, Refused int
	Full, Limited          int
	Connections            uint64
	Latency                []time.Duration
	Records                map[string][]Record
	Bytes                  map[string]int
	Masks                  map[string]int64
}

// serve runs a world, says how long its tapes are as often as it is asked, and
// then tells everything.
func serve(in io.Reader, out io.Writer) error {
	from, to := gob.NewDecoder(in), gob.NewEncoder(out)
	var j job
	if err := from.Decode(&j); err != nil {
		return err
	}
	p := pair{seed: j.Seed, steps: j.Steps, ticks: j.Ticks}
	x, err := p.plan()
	if err != nil {
		return err
	}
	m := NewMasker()
	w, err := p.world(j.Name, ground{j.Dir, j.Keys, x}, m)
	if err != nil {
		return err
	}
	if j.High {
		w.high = newIntel(w)
	}
	var t told
	if err := w.run(); err != nil {
		t.Err = err.Error()
	}
	for more := true; more; {
		if err := to.Encode(w.tapes.Lengths()); err != nil {
			return err
		}
		if err := from.Decode(&more); err != nil {
			return err
		}
	}
	t.Connections = w.connections
	if err := w.stop(); err != nil && t.Err == "" {
		t.Err = "stop: " + err.Error()
	}
	t.Admitted, t.Submitted, t.Latency = w.admitted, w.submitted, w.latency
	if h := w.high; h != nil {
		t.IntelAdmitted, t.Refused, t.Full, t.Limited = h.admitted, h.refused, h.full, h.limited
	}
	t.Records, t.Bytes = w.tapes.Dump()
	t.Masks = m.Counts()
	return to.Encode(&t)
}

// child is a world in another process.
type child struct {
	job  job
	cmd  *exec.Cmd
	to   *gob.Encoder
	from *gob.Decoder
}

func startChild(t testing.TB, j job) *child {
	t.Helper()
	c := &child{job: j, cmd: exec.Command(os.Args[0])}
	c.cmd.Env, c.cmd.Stderr = append(os.Environ(), inChild+"=1"), os.Stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.to, c.from = gob.NewEncoder(in), gob.NewDecoder(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill() // it has ended, unless the test failed
		_ = c.cmd.Wait()
	})
	if err := c.to.Encode(j); err != nil {
		t.Fatal(err)
	}
	return c
}

// lengths waits until the world has played, and says how long its tapes are.
func (c *child) lengths(t testing.TB) (n map[string]int) {
	t.Helper()
	if err := c.from.Decode(&n); err != nil {
		t.Fatalf("world %s has died: %v", c.job.Name, err)
	}
	return n
}

// level waits until what is still on its way has come to both: until no tape is
// longer than its twin, or one has had its time.
func level(t testing.TB, c [2]*child) {
	t.Helper()
	a, b := c[0].lengths(t), c[1].lengths(t)
	for deadline := time.Now().Add(patience); !alike(a, b) && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
		for _, x := range c {
			if err := x.to.Encode(true); err != nil {
				t.Fatal(err)
			}
		}
		a, b = c[0].lengths(t), c[1].lengths(t)
	}
}

func alike(a, b map[string]int) bool {
	for name, n := range a {
		if b[name] != n {
			return false
		}
	}
	return len(a) == len(b)
}

// end ends the world and takes its tapes.
func (c *child) end(t testing.TB, m *Masker) (*Tapes, told) {
	t.Helper()
	if err := c.to.Encode(false); err != nil {
		t.Fatal(err)
	}
	var x told
	if err := c.from.Decode(&x); err != nil {
		t.Fatalf("world %s has died: %v", c.job.Name, err)
	}
	m.Add(x.Masks)
	return Load(m, x.Records, x.Bytes), x
}
