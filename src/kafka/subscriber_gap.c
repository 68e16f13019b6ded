/*
 * The offsets of a partition follow one another, except where records were removed (retention, compaction) or are not for
 * readers (the marks of transactions). One that was left out for any other reason would never be read again, because the
 * position passes it. So the first time that a partition leaves some out, it is read again from what is stored; what is
 * not there then either is not in Kafka.
 */
#include "base/log.h"
#include "base/memory.h"
#include "kafka/subscriber_private.h"

static struct subscriber_gap *gap_of(struct subscriber *subscriber,
				     const struct subscriber_partition *partition)
{
	for (size_t i = 0; i < subscriber->gap_count; i++) {
		struct subscriber_gap *gap = &subscriber->gaps[i];
		if (gap->topic_index == partition->topic_index &&
		    gap->partition == partition->partition)
			return gap;
	}
	subscriber->gaps = xreallocarray(subscriber->gaps, subscriber->gap_count + 1,
					 sizeof(*subscriber->gaps));
	subscriber->gaps[subscriber->gap_count] =
		(struct subscriber_gap){.topic_index = partition->topic_index,
					.partition = partition->partition,
					.next = POSITION_NONE};
	return &subscriber->gaps[subscriber->gap_count++];
}

bool subscriber_is_gap(struct subscriber *subscriber, const struct subscriber_partition *partition,
		       int64_t offset)
{
	int64_t next = partition->handed_next != POSITION_NONE ? partition->handed_next
							       : partition->read_from;
	if (next == POSITION_NONE || offset <= next)
		return false;
	struct subscriber_gap *gap = gap_of(subscriber, partition);
	if (gap->is_usual)
		return false;
	gap->is_usual = gap->next == next;
	gap->next = next;
	figures_add(&subscriber->figures->kafka.gaps, 1);
	log_event(LOG_WARN,
		  gap->is_usual ? "kafka has no messages with these offsets, going on behind them"
				: "offsets were left out, reading again",
		  LOG_STR("topic", subscriber->topics[partition->topic_index]),
		  LOG_INT("partition", partition->partition), LOG_INT("first", next),
		  LOG_INT("last", offset - 1));
	return !gap->is_usual;
}
