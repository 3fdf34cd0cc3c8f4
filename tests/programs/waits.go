// A static program with threads of its own: starts sleep(1), says so, and waits for ever.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"time"
)

func main() {
	child := exec.Command("sleep", "1000")
	child.Stdout = os.Stdout
	if err := child.Start(); err != nil {
		panic(err)
	}
	fmt.Println("ready", child.Process.Pid)
	child.Wait()
	// Not for nothing at all: the runtime ends a program that nobody can wake.
	time.Sleep(1000 * time.Second)
}
