package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"occlude/internal/jupyter"
	"occlude/repl/command"
	"occlude/repl/history"
	"occlude/repl/notebook"
)

// kernelCommand is the side of the command line that Jupyter knows.
type kernelCommand struct {
	Install kernelInstall `cmd:"" help:"Tell Jupyter of this program: notebooks and consoles then offer Occlude."`
	Run     kernelRun     `cmd:"" help:"Serve a notebook: what Jupyter calls."`
	Magic   kernelMagic   `cmd:"" help:"Print the Python file that has the cell magic %%occlude."`
}

type kernelInstall struct {
	User   bool   `xor:"where" help:"For this user: the default."`
	Prefix string `xor:"where" placeholder:"DIR" help:"Below DIR/share/jupyter: for a virtual environment, or /usr/local for all users."`
}

type kernelRun struct {
	File string `arg:"" help:"The connection file that Jupyter has written."`
}

type kernelMagic struct{}

// run runs one of them.
func (c *kernelCommand) run(which string) int {
	switch which {
	case "install":
		return status(c.Install.run())
	case "magic":
		_, err := fmt.Print(notebook.Magic)
		return status(err)
	}
	return status(c.Run.run())
}

func (c *kernelInstall) run() error {
	data := notebook.PrefixData(c.Prefix)
	if c.Prefix == "" {
		var err error
		if data, err = notebook.UserData(); err != nil {
			return err
		}
	}
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	folder, err := notebook.Install(data, binary)
	if err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	fmt.Printf("installed the kernel occlude in %s\n", folder)
	return nil
}

func (c *kernelRun) run() error {
	connection, err := jupyter.ReadConnection(c.File)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ctx, cancel := jupyter.WithParent(ctx)
	defer cancel()
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)

	e := newEngine()
	defer e.Session.Close()
	// In a notebook maps are watched while they grow.
	if err := e.Session.Settings.Start("progressive", "on"); err != nil {
		return err
	}
	k := notebook.New(e, version())
	k.Begin = func(ctx context.Context, errs io.Writer) { command.ReadRC(ctx, e, errs) }
	return jupyter.Serve(ctx, connection, k, jupyter.Options{
		Log: log.New(os.Stderr, "occlude kernel: ", log.LstdFlags), Past: history.Open(history.DefaultPath()), Interrupts: interrupts,
	})
}
