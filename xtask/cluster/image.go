package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// descriptor points at a blob: https://github.com/opencontainers/image-spec/blob/main/descriptor.md
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// object is a JSON object.
type object = map[string]any

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
)

// makeImage writes a folder as an image of one layer: an OCI layout in a tar file, which `ctr images
// import` and `kind load image-archive` read. The same folder gives the same bytes.
func makeImage(arguments []string) error {
	if len(arguments) < 4 {
		return errors.New("usage: cluster-image FILE NAME FOLDER COMMAND…")
	}
	name, folder, command := arguments[1], arguments[2], arguments[3:]
	layer, err := archive(folder)
	if err != nil {
		return err
	}
	layout := layout{files: []file{{"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)}}}
	layers := []descriptor{layout.add(layerType, layer)}
	config, err := layout.addJSON(configType, object{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config": object{
			"Cmd": command,
			"Env": []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		},
		"rootfs": object{"type": "layers", "diff_ids": []string{layers[0].Digest}},
	})
	if err != nil {
		return err
	}
	manifest, err := layout.addJSON(manifestType, object{
		"schemaVersion": 2, "mediaType": manifestType, "config": config, "layers": layers,
	})
	if err != nil {
		return err
	}
	manifest.Annotations = map[string]string{
		"io.containerd.image.name":          name,
		"org.opencontainers.image.ref.name": name,
	}
	index, err := json.Marshal(object{"schemaVersion": 2, "manifests": []descriptor{manifest}})
	if err != nil {
		return err
	}
	layout.files = append(layout.files, file{"index.json", index})
	return layout.write(arguments[0])
}

type file struct {
	name  string
	bytes []byte
}

// layout collects the files of an image: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
type layout struct{ files []file }

func (l *layout) add(mediaType string, blob []byte) descriptor {
	sum := fmt.Sprintf("%x", sha256.Sum256(blob))
	l.files = append(l.files, file{"blobs/sha256/" + sum, blob})
	return descriptor{MediaType: mediaType, Digest: "sha256:" + sum, Size: len(blob)}
}

func (l *layout) addJSON(mediaType string, value any) (descriptor, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return descriptor{}, err
	}
	return l.add(mediaType, text), nil
}

func (l *layout) write(path string) error {
	var whole bytes.Buffer
	out := tar.NewWriter(&whole)
	for _, file := range l.files {
		header := &tar.Header{Name: file.name, Mode: 0o644, Size: int64(len(file.bytes))}
		if err := out.WriteHeader(header); err != nil {
			return err
		}
		if _, err := out.Write(file.bytes); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, whole.Bytes(), 0o644)
}

// archive returns a tar of the files, folders and links in a folder, owned by root and without times.
func archive(folder string) ([]byte, error) {
	var layer bytes.Buffer
	out := tar.NewWriter(&layer)
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		return add(out, folder, path, entry)
	})
	if err != nil {
		return nil, err
	}
	err = out.Close()
	return layer.Bytes(), err
}

func add(out *tar.Writer, folder, path string, entry fs.DirEntry) error {
	name, err := filepath.Rel(folder, path)
	if err != nil {
		return err
	}
	info, err := entry.Info()
	if err != nil {
		return err
	}
	target := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if target, err = os.Readlink(path); err != nil {
			return err
		}
	}
	header, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	plain := tar.Header{
		Typeflag: header.Typeflag, Name: name, Linkname: target, Size: header.Size, Mode: header.Mode,
	}
	if err := out.WriteHeader(&plain); err != nil || !info.Mode().IsRegular() {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, err = out.Write(content)
	return err
}
