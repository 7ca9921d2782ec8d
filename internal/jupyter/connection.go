package jupyter

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
)

// Connection is what a connection file says.
type Connection struct {
	Transport       string `json:"transport"`
	IP              string `json:"ip"`
	Shell           int    `json:"shell_port"`
	Control         int    `json:"control_port"`
	IOPub           int    `json:"iopub_port"`
	Stdin           int    `json:"stdin_port"`
	Heartbeat       int    `json:"hb_port"`
	SignatureScheme string `json:"signature_scheme"`
	// Key signs messages. A client that leaves it empty has turned signatures off.
	Key string `json:"key"`
}

// ReadConnection reads and checks a connection file.
func ReadConnection(path string) (*Connection, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c := &Connection{Transport: "tcp", SignatureScheme: signatureScheme}
	if err := json.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("connection file %q: %w", path, err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("connection file %q: %w", path, err)
	}
	return c, nil
}

// check refuses what could not be served, or not safely.
func (c *Connection) check() error {
	if c.Transport != "tcp" {
		return fmt.Errorf("the transport %q is not understood, only tcp", c.Transport)
	}
	if ip := net.ParseIP(c.IP); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("the address %q is not the loopback interface: whoever reaches a kernel can read files by it", c.IP)
	}
	if c.SignatureScheme != signatureScheme {
		return fmt.Errorf("the signature scheme %q is not understood, only %s", c.SignatureScheme, signatureScheme)
	}
	for _, p := range []struct {
		name string
		port int
	}{{"shell_port", c.Shell}, {"control_port", c.Control}, {"iopub_port", c.IOPub}, {"stdin_port", c.Stdin}, {"hb_port", c.Heartbeat}} {
		if p.port < 1 || p.port > 65535 {
			return fmt.Errorf("%s is %d, which is no port", p.name, p.port)
		}
	}
	return nil
}

// endpoint is a port as ZeroMQ writes it.
func (c *Connection) endpoint(port int) string {
	return guardedTransport + "://" + net.JoinHostPort(c.IP, strconv.Itoa(port))
}
