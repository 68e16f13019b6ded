#include "web/metrics_samples.h"

#include <assert.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/figures.h"
#include "base/log.h"
#include "check/outcome.h"
#include "web/metrics.h"
#include "web/metrics_table.h"

static_assert((int)REASON_COUNT <= (int)FIGURES_REASONS_MAX, "every reason has its counter");

static void write_number(struct buffer *out, const struct metric *metric, int64_t number)
{
	(void)buffer_append_format(out, "%s %" PRId64 "\n", metric->name, number);
}

void metrics_write_build(struct buffer *out, const struct metric *metric,
			 const struct figures *figures)
{
	(void)figures;
	(void)buffer_append_format(out, "%s{version=\"" WEBSENTRY_VERSION "\"} 1\n", metric->name);
}

void metrics_write_ready(struct buffer *out, const struct metric *metric,
			 const struct figures *figures)
{
	write_number(out, metric, metrics_is_ready(figures) ? 1 : 0);
}

void metrics_write_obstacles(struct buffer *out, const struct metric *metric,
			     const struct figures *figures)
{
	for (int i = 0; i < OBSTACLE_COUNT; i++) {
		enum obstacle obstacle = (enum obstacle)i;
		if (metrics_has_obstacle(figures->sections, obstacle))
			(void)buffer_append_format(
				out, "%s{reason=\"%s\"} %d\n", metric->name,
				obstacle_name(obstacle),
				figures_has_obstacle(figures, obstacle, NULL) ? 1 : 0);
	}
}

void metrics_write_log(struct buffer *out, const struct metric *metric,
		       const struct figures *figures)
{
	(void)figures;
	for (int i = LOG_ERROR; i <= LOG_WARN; i++)
		(void)buffer_append_format(out, "%s{level=\"%s\"} %" PRId64 "\n", metric->name,
					   log_level_name((enum log_level)i),
					   log_count((enum log_level)i));
}

void metrics_write_log_lost(struct buffer *out, const struct metric *metric,
			    const struct figures *figures)
{
	(void)figures;
	write_number(out, metric, log_count_lost());
}

void metrics_write_start_time(struct buffer *out, const struct metric *metric,
			      const struct figures *figures)
{
	metrics_write_seconds(out, metric->name, figures->started_at);
}

void metrics_write_cpu(struct buffer *out, const struct metric *metric,
		       const struct figures *figures)
{
	struct rusage usage = {0};
	(void)figures;
	(void)getrusage(RUSAGE_SELF, &usage);
	int64_t us = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * CLOCK_US_PER_S +
		     usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
	metrics_write_seconds(out, metric->name, us);
}

void metrics_write_memory(struct buffer *out, const struct metric *metric,
			  const struct figures *figures)
{
	long long pages = 0;
	(void)figures;
	FILE *in = fopen("/proc/self/statm", "re");
	if (in == NULL)
		return;
	/* size, resident …; the kernel's own numbers fit */
	bool is_read = fscanf(in, "%*s %lld", &pages) == 1; /* NOLINT(cert-err34-c) */
	(void)fclose(in);
	if (is_read)
		write_number(out, metric, (int64_t)pages * sysconf(_SC_PAGESIZE));
}

void metrics_write_descriptors(struct buffer *out, const struct metric *metric,
			       const struct figures *figures)
{
	int64_t count = 0;
	(void)figures;
	DIR *folder = opendir("/proc/self/fd");
	if (folder == NULL)
		return;
	for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
		if (entry->d_name[0] != '.')
			count++;
	(void)closedir(folder);
	write_number(out, metric, count - 1); /* but for the folder's own */
}

void metrics_write_descriptor_limit(struct buffer *out, const struct metric *metric,
				    const struct figures *figures)
{
	struct rlimit limit;
	(void)figures;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		write_number(out, metric, (int64_t)limit.rlim_cur);
}

void metrics_write_checks(struct buffer *out, const struct metric *metric,
			  const struct figures *figures)
{
	for (int i = 0; i < REASON_COUNT; i++) {
		enum reason reason = (enum reason)i;
		(void)buffer_append_format(out, "%s{outcome=\"%s\",reason=\"%s\"} %" PRId64 "\n",
					   metric->name, outcome_name(reason_outcome(reason)),
					   reason_name(reason),
					   figures_get(&figures->checks.by_reason[i]));
	}
}
