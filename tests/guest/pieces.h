/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_PIECES_H
#define XGD_PIECES_H

struct address_space;
struct device;

extern struct address_space pieces_mapping;

int pieces_map(struct device *dev);
void pieces_sync(struct device *dev);
void pieces_unmap(struct device *dev);
void pieces_free(void);
int pieces_again(struct device *dev);

#endif /* XGD_PIECES_H */
