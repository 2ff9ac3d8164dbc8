/*
 * storage_faults - what a storage provider does wrong on purpose, so that users can be tested. Not part of the
 * library's API.
 */
#ifndef SERVICES_STORAGE_FAULTS_H
#define SERVICES_STORAGE_FAULTS_H

#include <stdint.h>

struct dicomnet_storage_provider;

/* Wait for so long before each C-STORE response. */
void storage_provider_delay_responses(struct dicomnet_storage_provider *provider, uint32_t delay_ms);

#endif
