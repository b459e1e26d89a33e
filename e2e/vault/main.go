// Command vault is HashiCorp Vault, unchanged, for Holdfast's tests.
//
// It exists because no package index carries the program, and because the build tag "minimal" leaves out most of what
// the tests don't need.
package main

import (
	"os"

	"github.com/hashicorp/vault/command"
)

func main() {
	os.Exit(command.Run(os.Args[1:]))
}
