package jupyter

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

const (
	protocolVersion = "5.3"
	signatureScheme = "hmac-sha256"
)

// delimiter stands between the identities and the signature.
var delimiter = []byte("<IDS|MSG>")

// header is the first part of a message.
type header struct {
	ID       string `json:"msg_id"`
	Session  string `json:"session"`
	Username string `json:"username"`
	Date     string `json:"date"`
	Type     string `json:"msg_type"`
	Version  string `json:"version"`
}

// request is a message that came in, its signature checked.
type request struct {
	identities [][]byte // of the way back
	header     header
	raw        []byte // the header as it was sent
	content    json.RawMessage
}

// signer signs messages and checks signatures. Without a key there are none.
type signer struct{ key []byte }

// sign is the signature of a message's four parts.
func (s signer) sign(parts [4][]byte) []byte {
	if len(s.key) == 0 {
		return nil
	}
	mac := hmac.New(sha256.New, s.key)
	for _, p := range parts {
		mac.Write(p)
	}
	return []byte(hex.EncodeToString(mac.Sum(nil)))
}

var errSignature = errors.New("the signature is wrong")

// read makes a request of frames.
func (s signer) read(frames [][]byte) (*request, error) {
	at := -1
	for i, f := range frames {
		if bytes.Equal(f, delimiter) {
			at = i
			break
		}
	}
	if at < 0 || len(frames) < at+6 {
		return nil, fmt.Errorf("%d frames are no message", len(frames))
	}
	parts := [4][]byte(frames[at+2 : at+6])
	if !hmac.Equal(frames[at+1], s.sign(parts)) {
		return nil, errSignature
	}
	r := &request{identities: frames[:at], raw: parts[0], content: parts[3]}
	if err := json.Unmarshal(parts[0], &r.header); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if r.header.ID == "" || r.header.Type == "" { // an answer's parent header would break clients
		return nil, errors.New("header: no msg_id or msg_type")
	}
	return r, nil
}

// write makes the frames of a message, behind the identities or the topic.
func (s signer) write(to [][]byte, h header, parent []byte, content any) ([][]byte, error) {
	head, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", h.Type, err)
	}
	if parent == nil {
		parent = []byte("{}")
	}
	parts := [4][]byte{head, parent, []byte("{}"), body}
	frames := append(append([][]byte{}, to...), delimiter, s.sign(parts))
	return append(frames, parts[:]...), nil
}
