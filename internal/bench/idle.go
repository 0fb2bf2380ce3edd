package bench

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// idle starts this program's own `up` in a process of its own, on a new folder
// and again on the same, and looks at how long it takes and what it holds.
func (r *run) idle(ctx context.Context) ([]Figure, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var out []Figure
	for _, name := range []string{"first", "again"} {
		r.Progress("idle: start-up, " + name)
		took, rss, err := start(ctx, program, filepath.Join(r.dir, "idle"))
		if err != nil {
			return nil, err
		}
		out = append(out,
			Figure{Name: "idle-start-" + name, Unit: "s", Ours: took.Seconds(), Baseline: 1, Ratio: took.Seconds(), Target: "<= 1 s"},
			Figure{Name: "idle-memory-" + name, Unit: "MiB", Ours: rss, Baseline: 96, Ratio: rss / 96, Target: "<= 96 MiB"})
	}
	return out, nil
}

func start(ctx context.Context, program, dir string) (took time.Duration, rss float64, err error) {
	cmd := exec.CommandContext(ctx, program, "up", "--dir", dir, "--port", "-1", "--http-port", "-1")
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "Ctrl-C") {
			took = time.Since(began)
			break
		}
	}
	if took == 0 {
		_ = cmd.Process.Kill()
		return 0, 0, fmt.Errorf("up did not start: %w", cmd.Wait())
	}
	time.Sleep(3 * time.Second)
	rss = memoryOf(cmd.Process.Pid, "VmRSS")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, 0, err
	}
	for lines.Scan() { // until it closes its output
	}
	return took, rss, cmd.Wait()
}

// memory is a figure of /proc/self/status in MiB; zero where there is none.
func memory(key string) float64 { return memoryOf(os.Getpid(), key) }

func memoryOf(pid int, key string) float64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err == nil {
				return kib / 1024
			}
		}
	}
	return 0
}

// resetPeak lets VmHWM start from what is held now (proc(5), clear_refs).
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }
