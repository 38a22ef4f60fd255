/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XGD_PARAMS_H
#define XGD_PARAMS_H

#include <linux/list.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <xen/interface/xen.h>

#include "data/device.h"

/**
 * struct xgd_rule - one entry of backend=
 * @list:	in the order given
 * @none:	"none": no grants for these devices
 * @domid:	otherwise, the backend domain
 * @copy:	copy all data of these devices
 * @page:	grant whole pages to these devices, and copy nothing
 * @text:	all of it, as the user wrote it
 * @selector:	PCI address, device name or "*"
 */
struct xgd_rule {
	struct list_head	list;
	bool			none;
	bool			copy;
	bool			page;
	domid_t			domid;
	char			*text;
	char			selector[];
};

/**
 * struct xgd_choice - a parameter that is one of a few words
 * @words:	the words
 * @count:	how many
 * @value:	the number of the one that was chosen
 */
struct xgd_choice {
	const char *const	*words;
	unsigned int		count;
	int			*value;
};

/**
 * struct xgd_number - a parameter that is a number in a range
 * @min:	the smallest
 * @max:	the largest
 * @also:	0 is allowed, too: a text that says so; or NULL
 * @value:	the number
 */
struct xgd_number {
	unsigned int	min;
	unsigned int	max;
	const char	*also;
	unsigned int	value;
};

/**
 * struct xgd_list - a parameter that is a list
 * @set:	takes a value, in process context
 * @early:	built into the kernel: the value of the command line, not taken yet
 */
struct xgd_list {
	int		(*set)(const char *val);
	const char	*early;
};

extern const struct kernel_param_ops xgd_choice_param;
extern const struct kernel_param_ops xgd_number_param;

enum xgd_access_platform {
	XGD_ACCESS_PLATFORM_REQUIRE,
	XGD_ACCESS_PLATFORM_PREFER,
};

extern struct list_head xgd_backend_rules;
extern struct xgd_number xgd_keep_refs;
extern struct mutex xgd_backend_lock;
extern bool xgd_force_grant;
extern int xgd_access_platform;
extern bool xgd_rebind;
extern bool xgd_take_over;

int xgd_list_set(const char *val, const struct kernel_param *kp);
int xgd_list_early(struct xgd_list *list);
int xgd_param_words(const char *val, int (*fn)(char *word, void *data), void *data);
int xgd_params_early(void);
void xgd_params_init(void);
int xgd_parse_rule(char *value, struct xgd_rule *rule);
void xgd_params_mode(struct xgd_mode *mode);

#endif /* XGD_PARAMS_H */
