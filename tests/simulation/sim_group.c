#include "sim_broker.h"
void sim_group_reset(void)
{
}
int64_t sim_group_committed(int topic, int partition)
{
	(void)topic;
	(void)partition;
	return -1;
}
