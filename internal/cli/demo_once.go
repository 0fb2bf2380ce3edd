package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/internal/demo"
	"github.com/watchfloor/watchfloor/internal/scorecard"
	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/producers/exercise"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// settleTimeout bounds how long the pictures may take to catch up.
const settleTimeout = 10 * time.Minute

// demoOnce replays the exercise and scores every cell.
func (a *app) demoOnce(ctx context.Context, f demoFlags) error {
	scenario, err := exercise.New(exercise.Config{Seed: f.seed, Reports: f.reports})
	if err != nil {
		return usage("%w", err)
	}
	p := policy.Default()
	c := a.spineConfig(f, p)
	c.Statuses, c.WithoutHTTP = exerciseOnly, true
	s, end, err := a.once(ctx, f, c)
	if err != nil {
		return err
	}
	cards, took, err := a.replay(ctx, s, scenario, f.extract)
	if err := end(err); err != nil {
		return err
	}
	if a.output != "table" {
		for _, c := range cards {
			if err := json.NewEncoder(a.out).Encode(c); err != nil {
				return err
			}
		}
	} else {
		fmt.Fprintf(a.out, "exercise, seed %d, %d reports, replayed in %s\n\n", f.seed, f.reports, took.Round(10*time.Millisecond))
		if err := scorecard.Render(a.out, cards); err != nil {
			return err
		}
		if f.keep {
			a.keptHint()
		}
	}
	if !scorecard.Passed(cards) {
		return failed("the exercise is not passed")
	}
	return nil
}

// replay plays the scenario through the guards, with what narratives say
// added or not, and scores each cell's published picture.
func (a *app) replay(ctx context.Context, s *spine.Spine, scenario *exercise.Scenario, extract bool) ([]scorecard.Card, time.Duration, error) {
	start := time.Now()
	sender := sendInto(s)
	defer sender.Close()
	progress := a.progress("replaying", scenario.Config().Reports)
	player := &demo.Player{Scenario: scenario, Sender: sender, Extract: extract, Progress: func(n int, _ time.Time) { progress(n) }}
	if _, err := player.Play(ctx, 0); err != nil {
		return nil, 0, fmt.Errorf("replay: %w", err)
	}
	settle, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	if err := s.Settled(settle); err != nil {
		return nil, 0, err
	}
	took := time.Since(start)
	book := scorecard.NewBook(scorecard.ExerciseCells())
	for step := range scenario.Steps() {
		book.Observe(step)
	}
	var cards []scorecard.Card
	for _, c := range s.Cells() {
		card, err := scoreCell(s, book, c.Name)
		if err != nil {
			return nil, 0, err
		}
		cards = append(cards, card)
	}
	return cards, took, nil
}

func scoreCell(s *spine.Spine, book *scorecard.Book, cell string) (scorecard.Card, error) {
	var m scorecard.Moment
	var situations []*wf.Situation
	s.Picture(cell, wf.Status_STATUS_EXERCISE).Read(func(p *snapshot.Picture) {
		m = scorecard.Moment{Tick: p.Tick(), Windows: s.Broker().Policy().Windows()}
		situations = p.Situations()
	})
	card, err := book.Score(cell, m, situations)
	if err != nil {
		return card, fmt.Errorf("score %s: %w", cell, err)
	}
	return card, nil
}
