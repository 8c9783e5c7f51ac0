// Prints the conflict topic: go run . BROKERS [TOPIC [GROUP]]
//
// franz-go reads zstd by itself.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kgo"
)

// What is used of a record. Version 1 only grows: other fields are ignored.
type article struct {
	Title    *string `json:"title"`
	Conflict *struct {
		Relevant bool `json:"relevant"`
	} `json:"conflict"`
}

func argument(at int, otherwise string) string {
	if len(os.Args) > at {
		return os.Args[at]
	}
	return otherwise
}

func header(record *kgo.Record, name string) string {
	for _, header := range record.Headers {
		if header.Key == name {
			return string(header.Value)
		}
	}
	return "-"
}

func show(record *kgo.Record) error {
	var article article
	if err := json.Unmarshal(record.Value, &article); err != nil {
		return err
	}
	// A correction: not about conflict any more, or taken back.
	word := "drop"
	if article.Conflict != nil && article.Conflict.Relevant {
		word = "relevant"
	}
	title := "-"
	if article.Title != nil {
		title = *article.Title
	}
	fmt.Println(header(record, "ce_id"), word, header(record, "cw_tags"), title)
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(os.Args[1], ",")...),
		kgo.ConsumeTopics(argument(2, "news.conflict.v1")),
		kgo.ConsumerGroup(argument(3, "go-reader")),
		// The default shows what aborted transactions wrote.
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		fetches.EachError(func(_ string, _ int32, err error) {
			if !errors.Is(err, context.Canceled) {
				log.Fatal(err)
			}
		})
		fetches.EachRecord(func(record *kgo.Record) {
			if err := show(record); err != nil {
				log.Fatal(err)
			}
		})
		if err := client.CommitUncommittedOffsets(ctx); err != nil && ctx.Err() == nil {
			log.Fatal(err)
		}
	}
}
