/*
 * compare - are two data sets on disk the same, byte for byte?
 */
#ifndef FILES_COMPARE_H
#define FILES_COMPARE_H

struct file_facts;

/*
 * 1 if class, transfer syntax and every byte of the two data sets are the same, 0 if not, a negative errno if one
 * cannot be read. Reads both as far as they agree; blocks on the disk.
 */
int compare_data_sets(const struct file_facts *first, const struct file_facts *second);

#endif
