// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows of virtio-mmio devices that xgd-backend is to serve, for a guest without
 * a device tree. Their interrupts are event channels, whose ports the parameter
 * "port" tells once the module is loaded: the backend needs them. It must serve
 * before virtio_mmio is loaded.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/platform_device.h>
#include <xen/events.h>
#include <xen/interface/event_channel.h>

#include <asm/xen/hypercall.h>

#define WINDOWS_MAX	16
#define WINDOW_SIZE	0x200

static unsigned long long base[WINDOWS_MAX];
static unsigned int windows;
module_param_array(base, ullong, &windows, 0444);
MODULE_PARM_DESC(base, "guest addresses of the windows, where no memory is (default: none)");

static ushort backend;
module_param(backend, ushort, 0444);
MODULE_PARM_DESC(backend, "the domain that may bind the event channels (default: 0)");

static uint port[WINDOWS_MAX];
static unsigned int opened;
module_param_array(port, uint, &opened, 0444);
MODULE_PARM_DESC(port, "to be read: the event channels (default: none)");

static struct platform_device *window[WINDOWS_MAX];

static int port_open(void)
{
	struct evtchn_alloc_unbound alloc = {
		.dom = DOMID_SELF,
		.remote_dom = backend,
	};
	int ret, irq;

	ret = HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &alloc);
	if (ret)
		return ret;
	irq = bind_evtchn_to_irq(alloc.port);
	if (irq < 0) {
		struct evtchn_close close = { .port = alloc.port };

		HYPERVISOR_event_channel_op(EVTCHNOP_close, &close);
		return irq;
	}
	port[opened++] = alloc.port;

	return irq;
}

static int window_open(unsigned int i)
{
	struct resource resources[] = {
		DEFINE_RES_MEM(base[i], WINDOW_SIZE),
		DEFINE_RES_IRQ(0),
	};
	int irq = port_open();

	if (irq < 0)
		return irq;
	resources[1].start = irq;
	resources[1].end = irq;
	window[i] = platform_device_register_simple("virtio-mmio", i, resources,
						    ARRAY_SIZE(resources));

	return PTR_ERR_OR_ZERO(window[i]);
}

static void windows_close(void)
{
	unsigned int i;

	for (i = 0; i < windows; i++)
		if (!IS_ERR_OR_NULL(window[i]))
			platform_device_unregister(window[i]);
	/* That unbinds and closes the port, too. */
	while (opened)
		evtchn_put(port[--opened]);
}

static int __init mmio_init(void)
{
	unsigned int i;
	int ret;

	if (opened) {
		pr_err("port is not to be set\n");
		return -EINVAL;
	}
	for (i = 0; i < windows; i++) {
		ret = window_open(i);
		if (ret) {
			pr_err("no window at %#llx: %d\n", base[i], ret);
			windows_close();
			return ret;
		}
	}

	return 0;
}

static void __exit mmio_exit(void)
{
	windows_close();
}

module_init(mmio_init);
module_exit(mmio_exit);

MODULE_DESCRIPTION("Test: virtio-mmio devices without a device tree");
MODULE_LICENSE("GPL");
