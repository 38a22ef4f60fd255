/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PVH guest's own ACPI tables know of no PCI. This one, which the guest's
 * initramfs adds, describes the host bridge that QEMU's xenpvh machine emulates.
 *
 * Its addresses do for guests of any size: libxl puts memory below 0xFC000000 and
 * above 4 GiB, and its own pages and Xen's at 0xFC000000 and from 0xFEC00000. The
 * configuration space, of which QEMU insists on 256 MiB, ends at 512 GiB: all processors
 * of servers have that many addresses.
 */
DefinitionBlock ("ssdt.aml", "SSDT", 2, "XGD", "XGDPCI", 1)
{
	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A08"))
			Name (_CID, EisaId ("PNP0A03"))
			Name (_UID, Zero)
			Name (_SEG, Zero)
			Name (_BBN, Zero)
			/* Two buses: scanning 256 costs six seconds here. */
			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					0x0000, 0x0000, 0x0001, 0x0000, 0x0002)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite,
					0x00000000, 0xFD000000, 0xFDFFFFFF, 0x00000000, 0x01000000)
			})
		}

		/* Linux trusts MCFG only if its window is reserved. */
		Device (ECAM)
		{
			Name (_HID, EisaId ("PNP0C02"))
			Name (_UID, One)
			Name (_CRS, ResourceTemplate ()
			{
				QWordMemory (ResourceConsumer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite, 0x0000000000000000,
					0x0000007FF0000000, 0x0000007FFFFFFFFF,
					0x0000000000000000, 0x0000000010000000)
			})
		}
	}
}
