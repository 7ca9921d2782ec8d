package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"sort"
)

// record is a line of the log, as far as it is drawn.
type record struct {
	Model   string  `json:"model"`
	Image   string  `json:"image"`
	Family  string  `json:"family"`
	Setting float64 `json:"setting"`
	Seconds float64 `json:"seconds"`
	Naive   float64 `json:"naive"`
	Figures struct {
		SSIM    float64 `json:"ssim"`
		Pearson float64 `json:"pearson"`
	} `json:"figures"`
}

func readLog(path string) (all []record, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	d := json.NewDecoder(bufio.NewReader(file))
	for {
		var r record
		switch err := d.Decode(&r); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		all = append(all, r)
	}
}

// chart is what is known of one network.
type chart struct {
	network string
	images  int
	series  []*series
	naive   float64 // median seconds of ONNX Runtime, 0 where it was not there
	// constant are the mean figures of maps that have one value everywhere.
	constant point
}

// series is a plan family, from its quickest setting to its slowest.
type series struct {
	family string
	points []point
}

// point is a setting: the mean quality of all images and seeds, and the median
// of their seconds, which a hiccup of the machine does not move.
type point struct {
	setting, seconds, ssim, pearson float64
	all                             []float64 // seconds
}

func (p *point) add(r record) {
	p.setting = r.Setting
	p.all = append(p.all, r.Seconds)
	p.ssim += r.Figures.SSIM
	p.pearson += r.Figures.Pearson
}

func (p *point) mean() {
	if len(p.all) == 0 {
		return
	}
	n := float64(len(p.all))
	p.seconds, p.ssim, p.pearson = median(p.all), p.ssim/n, p.pearson/n
}

func median(v []float64) float64 {
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// constantMap is the family of records that no plan made.
const constantMap = "constant map"

// newCharts sorts records by network, plan family and setting.
func newCharts(all []record) (charts []*chart) {
	for _, r := range all {
		if !slices.ContainsFunc(charts, func(c *chart) bool { return c.network == r.Model }) {
			if c := newChart(r.Model, all); len(c.series) > 0 {
				charts = append(charts, c)
			}
		}
	}
	return charts
}

func newChart(network string, all []record) *chart {
	c := &chart{network: network}
	images, naive := map[string]bool{}, []float64(nil)
	points := map[string]map[float64]*point{}
	for _, r := range all {
		if r.Model != network {
			continue
		}
		images[r.Image] = true
		if r.Family == constantMap {
			c.constant.add(r)
			continue
		}
		if r.Naive > 0 {
			naive = append(naive, r.Naive)
		}
		if points[r.Family] == nil {
			points[r.Family] = map[float64]*point{}
		}
		if points[r.Family][r.Setting] == nil {
			points[r.Family][r.Setting] = &point{}
		}
		points[r.Family][r.Setting].add(r)
	}
	c.images = len(images)
	c.constant.mean()
	if len(naive) > 0 {
		c.naive = median(naive)
	}
	for _, l := range looks {
		if points[l.family] == nil {
			continue
		}
		s := &series{family: l.family}
		for _, p := range points[l.family] {
			p.mean()
			s.points = append(s.points, *p)
		}
		sort.Slice(s.points, func(i, j int) bool { return s.points[i].setting < s.points[j].setting })
		c.series = append(c.series, s)
	}
	return c
}
