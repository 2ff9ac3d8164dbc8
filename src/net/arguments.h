/*
 * arguments - what a caller says of an association that is to be made, taken and checked before anything is done.
 */
#ifndef NET_ARGUMENTS_H
#define NET_ARGUMENTS_H

#include "dicomnet/association.h"

/* Copy the options, of whatever version they are: see base/sized.h. 0 or its errors. */
int arguments_take_options(struct dicomnet_association_options *ret_own,
                           const struct dicomnet_association_options *given) DICOMNET_MUST_CHECK;
int arguments_take_accept_options(struct dicomnet_association_accept_options *ret_own,
                                  const struct dicomnet_association_accept_options *given) DICOMNET_MUST_CHECK;

/* 0, -EINVAL, DICOMNET_ERROR_AE_TITLE or DICOMNET_ERROR_PROPOSAL, as dicomnet_association_open says. */
int arguments_check_options(const struct dicomnet_association_options *options) DICOMNET_MUST_CHECK;
int arguments_check_accept_options(const struct dicomnet_association_accept_options *options) DICOMNET_MUST_CHECK;

/*
 * True for an AE title (VR AE, PS3.5 6.2): terminated, not all spaces, no control characters, no backslash. Characters
 * beyond ASCII, which the VR does not have, pass: peers have such titles.
 */
bool arguments_is_ae_title(const char title[DICOMNET_AE_SIZE]);

#endif
