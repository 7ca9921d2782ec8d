package jupyter

import "context"

// Kernel is what stands behind the protocol. Its methods are called one after
// another, never two at a time. Offsets are in bytes of the code.
type Kernel interface {
	// Info describes the kernel to front ends.
	Info() Info
	// Execute runs a cell. The context ends with an interrupt. A *Failure is shown
	// as it is, any other error by its text.
	Execute(ctx context.Context, c Cell, out *Output) error
	// Complete says what could stand at the cursor.
	Complete(ctx context.Context, code string, cursor int) Completion
	// Inspect says what is known of what stands at the cursor; nil is nothing.
	Inspect(ctx context.Context, code string, cursor int) Bundle
	// Completeness tells a console whether to run what was typed.
	Completeness(code string) Completeness
}

// Info describes a kernel and its language.
type Info struct {
	Implementation string   `json:"implementation"`
	Version        string   `json:"implementation_version"`
	Banner         string   `json:"banner"`
	Language       Language `json:"language_info"`
}

// Language describes a language to editors and exporters.
type Language struct {
	Name           string `json:"name"`
	Version        string `json:"version"`
	MIMEType       string `json:"mimetype"`
	FileExtension  string `json:"file_extension"`
	PygmentsLexer  string `json:"pygments_lexer"`
	CodeMirrorMode string `json:"codemirror_mode"`
}

// Cell is a piece of code to run.
type Cell struct {
	Code  string
	Count int // the number in brackets beside it
}

// Bundle is one thing to show, in several media types; "text/plain" is always
// among them. Values are text; of binary types, base64.
type Bundle map[string]string

// Completion is what could replace code[From:To].
type Completion struct {
	From, To int
	Matches  []Match
}

// Match is one possible completion and what it is: "keyword", "model", "file".
type Match struct{ Text, Kind string }

// Completeness is "complete", "incomplete" or "invalid".
type Completeness string

// What a text can be.
const (
	Complete   Completeness = "complete"
	Incomplete Completeness = "incomplete"
	Invalid    Completeness = "invalid"
)

// Failure is how a cell fails.
type Failure struct {
	Name, Value string
	Traceback   []string // what is shown, line by line; may hold ANSI colours
}

func (f *Failure) Error() string { return f.Name + ": " + f.Value }
