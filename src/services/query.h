/* query - what both sides of C-FIND, C-MOVE and C-GET ask of the list of their SOP classes. */
#ifndef SERVICES_QUERY_H
#define SERVICES_QUERY_H

#include "dicomnet/query_retrieve.h"

/* True if there is such a class: neither value is out of its enum's range. */
bool query_class_exists(enum dicomnet_query_model model, enum dicomnet_query_service service);

#endif
