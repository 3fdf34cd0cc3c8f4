// An app in Go that starts a program which ends with it.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// anchored adds to a command's environment what ends it with this process.
func anchored(command *exec.Cmd, library string) *exec.Cmd {
	preload := strings.TrimPrefix(os.Getenv("LD_PRELOAD")+":"+library, ":")
	command.Env = append(command.Environ(), "LD_PRELOAD="+preload, "ANCHOR_PID="+strconv.Itoa(os.Getpid()), "ANCHOR_ID=")
	return command
}

func main() {
	fmt.Println("anchor", os.Getpid())
	// Behind a shell that lives on: the server watches for itself.
	server := anchored(exec.Command("sh", "-c", `python3 server.py; echo "the server ended"`), os.Getenv("LIBANCHOR"))
	output, err := server.StdoutPipe()
	if err != nil {
		log.Fatal(err)
	}
	if err := server.Start(); err != nil {
		log.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	lines.Scan()
	fmt.Println("port", lines.Text())
	fmt.Println("ready")
	server.Wait()
}
