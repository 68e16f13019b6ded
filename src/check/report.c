#include "check/report.h"

#include "check/observation.h"

bool report_is_success(const struct report *report)
{
	return report->observation->trouble == REASON_OK;
}
