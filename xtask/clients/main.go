// Reads or writes an object by Google's Go client, with the credentials that the client finds by
// itself: in a pod, those of the metadata server.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"cloud.google.com/go/storage"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	if len(arguments) != 4 {
		return errors.New("usage: storage write|read BUCKET OBJECT TEXT")
	}
	client, err := storage.NewClient(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	object := client.Bucket(arguments[1]).Object(arguments[2])
	if arguments[0] == "write" {
		writer := object.NewWriter(ctx)
		if _, err := io.WriteString(writer, arguments[3]); err != nil {
			return err
		}
		return writer.Close()
	}
	reader, err := object.NewReader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	_, err = io.Copy(os.Stdout, reader)
	return err
}
