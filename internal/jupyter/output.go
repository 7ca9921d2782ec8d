package jupyter

import (
	"strings"
	"sync"
	"time"
)

// gathering is how long text waits for more to be sent along with it.
const gathering = 100 * time.Millisecond

// Output is where a cell's results go. Several goroutines may use it; what comes
// after the cell's end is dropped.
type Output struct {
	publish func(kind string, content any)
	count   int

	mu      sync.Mutex
	ended   bool
	outputs int // that the front end shows
	stream  string
	text    strings.Builder // of that stream, not yet sent
	timer   *time.Timer
	pages   []Bundle
}

// NewOutput makes the output of a cell, given its number. What it shows goes to
// publish as messages of the protocol: their kind and content.
func NewOutput(count int, publish func(kind string, content any)) *Output {
	return &Output{publish: publish, count: count}
}

// The two streams of text.
const (
	Stdout = "stdout"
	Stderr = "stderr"
)

// Stream shows text.
func (o *Output) Stream(name, text string) {
	if text == "" {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stream != name {
		o.flush()
		o.stream = name
	}
	o.text.WriteString(text)
	o.outputs++
	if o.timer == nil && !o.ended {
		o.timer = time.AfterFunc(gathering, func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.flush()
		})
	}
}

// Display shows something; a name other than "" is one by which Update finds it.
func (o *Output) Display(name string, b Bundle) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.outputs++
	o.send("display_data", displayContent(name, b))
}

// Update shows something else in the place of what was displayed under a name.
// Front ends that know no updates ignore it.
func (o *Output) Update(name string, b Bundle) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.send("update_display_data", displayContent(name, b))
}

// Result shows a value that the cell returns.
func (o *Output) Result(b Bundle) {
	content := displayContent("", b)
	delete(content, "transient")
	content["execution_count"] = o.count
	o.mu.Lock()
	defer o.mu.Unlock()
	o.outputs++
	o.send("execute_result", content)
}

// Clear takes away all that the cell has shown, at the moment when something new
// is.
func (o *Output) Clear() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.send("clear_output", map[string]any{"wait": true})
	o.outputs = 0
}

// Page shows help beside the notebook, or wherever the front end shows it.
func (o *Output) Page(b Bundle) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pages = append(o.pages, b)
}

// Outputs counts what was shown since the cell's beginning, or since Clear.
func (o *Output) Outputs() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.outputs
}

func displayContent(name string, b Bundle) map[string]any {
	transient := map[string]any{}
	if name != "" {
		transient["display_id"] = name
	}
	return map[string]any{"data": b, "metadata": struct{}{}, "transient": transient}
}

// send publishes a message behind the text that was gathered.
func (o *Output) send(kind string, content map[string]any) {
	o.flush()
	if !o.ended {
		o.publish(kind, content)
	}
}

// flush sends the text that was gathered.
func (o *Output) flush() {
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
	if o.text.Len() > 0 && !o.ended {
		o.publish("stream", map[string]any{"name": o.stream, "text": o.text.String()})
	}
	o.text.Reset()
}

// end sends what is left, and gives the pages.
func (o *Output) end() []Bundle {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	o.ended = true
	return o.pages
}
