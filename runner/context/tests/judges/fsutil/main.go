// Answers how Docker decides about ignore files: one JSON question a line on standard input, one
// answer a line on standard output. Bytes are base64, as names need not be UTF-8.
//
// A tree is walked by the filter of github.com/tonistiigi/fsutil, by which BuildKit sends a context;
// single paths are decided by the function of github.com/moby/patternmatcher that kaniko calls.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	gofs "io/fs"
	"os"
	"sort"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"
)

type question struct {
	Ignore []byte `json:"ignore"`
	// Tree has the entries of a context: "d", "f" or "l" and then the path.
	Tree [][]byte `json:"tree"`
	// Paths are asked about one by one.
	Paths [][]byte `json:"paths"`
}

type answer struct {
	// Patterns as read; nil where the file is refused.
	Patterns [][]byte `json:"patterns"`
	// Valid is false where a pattern is refused.
	Valid bool `json:"valid"`
	// Walked has the paths that the filter passes, in its order; nil where it fails.
	Walked [][]byte `json:"walked"`
	// Results has "in" or "out" for each of the paths.
	Results []string `json:"results"`
}

// A tree in memory.
type tree struct {
	names map[string][]string
	kinds map[string]byte
}

func newTree(entries [][]byte) tree {
	t := tree{names: map[string][]string{}, kinds: map[string]byte{}}
	for _, entry := range entries {
		path := string(entry[1:])
		t.kinds[path] = entry[0]
		folder, name := "", path
		if at := strings.LastIndexByte(path, '/'); at >= 0 {
			folder, name = path[:at], path[at+1:]
		}
		t.names[folder] = append(t.names[folder], name)
	}
	for _, names := range t.names {
		sort.Strings(names)
	}
	return t
}

func (t tree) Walk(_ context.Context, _ string, fn gofs.WalkDirFunc) error {
	return t.walk("", fn)
}

func (t tree) walk(folder string, fn gofs.WalkDirFunc) error {
	for _, name := range t.names[folder] {
		path := name
		if folder != "" {
			path = folder + "/" + name
		}
		mode := gofs.FileMode(0o644)
		switch t.kinds[path] {
		case 'd':
			mode = gofs.ModeDir | 0o755
		case 'l':
			mode = gofs.ModeSymlink | 0o777
		}
		entry := &fsutil.DirEntryInfo{Stat: &types.Stat{Path: path, Mode: uint32(mode)}}
		err := fn(path, entry, nil)
		if err == gofs.SkipDir {
			if mode.IsDir() {
				continue
			}
			return nil
		}
		if err == nil && mode.IsDir() {
			err = t.walk(path, fn)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (tree) Open(string) (io.ReadCloser, error) {
	return nil, errors.New("nothing is opened")
}

func walk(entries [][]byte, patterns []string) [][]byte {
	filtered, err := fsutil.NewFilterFS(newTree(entries), &fsutil.FilterOpt{ExcludePatterns: patterns})
	if err != nil {
		return nil
	}
	walked := [][]byte{}
	err = filtered.Walk(context.Background(), "/", func(path string, _ gofs.DirEntry, err error) error {
		walked = append(walked, []byte(path))
		return err
	})
	if err != nil {
		return nil
	}
	return walked
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
	if _, err := patternmatcher.New(patterns); err != nil {
		return a
	}
	a.Valid = true
	a.Walked = walk(q.Tree, patterns)
	for _, path := range q.Paths {
		result := "in"
		if matched, err := patternmatcher.Matches(string(path), patterns); err == nil && matched {
			result = "out"
		}
		a.Results = append(a.Results, result)
	}
	return a
}

func main() {
	// The library's scanner reports odd bytes there.
	os.Stderr, _ = os.Open(os.DevNull)
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
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
