/* Metrics whose samples are not one figure each: with labels of their own, or asked of the system. See struct metric.write. */
#ifndef WEBSENTRY_WEB_METRICS_SAMPLES_H
#define WEBSENTRY_WEB_METRICS_SAMPLES_H

struct buffer;
struct figures;
struct metric;

void metrics_write_build(struct buffer *out, const struct metric *metric,
			 const struct figures *figures);
void metrics_write_ready(struct buffer *out, const struct metric *metric,
			 const struct figures *figures);
void metrics_write_obstacles(struct buffer *out, const struct metric *metric,
			     const struct figures *figures);
void metrics_write_log(struct buffer *out, const struct metric *metric,
		       const struct figures *figures);
void metrics_write_log_lost(struct buffer *out, const struct metric *metric,
			    const struct figures *figures);
void metrics_write_start_time(struct buffer *out, const struct metric *metric,
			      const struct figures *figures);
void metrics_write_cpu(struct buffer *out, const struct metric *metric,
		       const struct figures *figures);
void metrics_write_memory(struct buffer *out, const struct metric *metric,
			  const struct figures *figures);
void metrics_write_descriptors(struct buffer *out, const struct metric *metric,
			       const struct figures *figures);
void metrics_write_descriptor_limit(struct buffer *out, const struct metric *metric,
				    const struct figures *figures);
void metrics_write_checks(struct buffer *out, const struct metric *metric,
			  const struct figures *figures);

#endif
