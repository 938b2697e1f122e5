// Answers what github.com/moby/patternmatcher says of ignore files and paths:
// one JSON question a line on standard input, one answer a line on standard
// output. Bytes are base64, as names need not be UTF-8.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

type question struct {
	Ignore []byte   `json:"ignore"`
	Paths  [][]byte `json:"paths"`
}

type answer struct {
	// Patterns as read; nil where the file is refused.
	Patterns [][]byte `json:"patterns"`
	// Valid is false where a pattern is refused.
	Valid bool `json:"valid"`
	// Results has one of "in", "out", "error" for each path.
	Results []string `json:"results"`
}

func ask(q question) answer {
	a := answer{Patterns: [][]byte{}, Results: []string{}}
	patterns, err := ignorefile.ReadAll(bytes.NewReader(q.Ignore))
	if err != nil {
		a.Patterns = nil
		return a
	}
	for _, pattern := range patterns {
		a.Patterns = append(a.Patterns, []byte(pattern))
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return a
	}
	a.Valid = true
	for _, path := range q.Paths {
		file := filepath.Clean(string(path))
		result := "in"
		if file != "." {
			if matched, err := matcher.MatchesOrParentMatches(file); err != nil {
				result = "error"
			} else if matched {
				result = "out"
			}
		}
		a.Results = append(a.Results, result)
	}
	return a
}

func main() {
	// The library's scanner reports odd bytes there.
	os.Stderr, _ = os.Open(os.DevNull)
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	decoder, encoder := json.NewDecoder(in), json.NewEncoder(out)
	for decoder.More() {
		var q question
		if err := decoder.Decode(&q); err != nil {
			fmt.Fprintln(out, err)
			return
		}
		if err := encoder.Encode(ask(q)); err != nil {
			return
		}
	}
}
