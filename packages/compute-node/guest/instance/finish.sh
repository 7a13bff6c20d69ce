#!/bin/sh
# Turns freshly installed packages in the folder $1 into the root file system of an instance. $2: folder of this script.
# Nothing of the root file system is run: it may belong to another machine.
set -eu
root=$1
here=$2

cp "$here/cloud.cfg" "$root/etc/cloud/cloud.cfg"
rm -f "$root/etc/cloud/cloud.cfg.d/"*
# Every step of cloud-init to a file; to the console, which is slow, only what goes wrong.
cp "$here/cloud-logging.cfg" "$root/etc/cloud/cloud.cfg.d/05_logging.cfg"
mkdir -p "$root/boot/grub"
cp "$here/grub.cfg" "$root/boot/grub/grub.cfg"
echo '/dev/vda1 / ext4 rw,noatime,errors=remount-ro 0 1' >"$root/etc/fstab"
ln -sf /run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
echo debian >"$root/etc/hostname"

units=$root/etc/systemd/system
enable() { # enable UNIT TARGET
  mkdir -p "$units/$2.wants"
  ln -sf "/lib/systemd/system/$1" "$units/$2.wants/$1"
}
enable systemd-networkd.service multi-user.target
enable systemd-resolved.service sysinit.target
enable ssh.service multi-user.target
# Timers that work for minutes after the first boot, and what nothing here has a use for.
for unit in apt-daily.timer apt-daily-upgrade.timer man-db.timer e2scrub_all.timer e2scrub_reap.service \
  dpkg-db-backup.timer systemd-networkd-wait-online.service systemd-pcrphase.service \
  systemd-pcrphase-sysinit.service cloud-init-hotplugd.socket cloud-init-hotplugd.service \
  proc-sys-fs-binfmt_misc.automount sys-kernel-debug.mount sys-kernel-tracing.mount \
  systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-binfmt.service \
  modprobe@configfs.service modprobe@dm_mod.service modprobe@drm.service modprobe@efi_pstore.service \
  modprobe@loop.service sys-kernel-config.mount systemd-pstore.service; do
  ln -sf /dev/null "$units/$unit"
done

mkdir -p "$root/etc/ssh/sshd_config.d" "$root/etc/systemd/journald.conf.d" "$root/etc/apt/apt.conf.d"
printf 'PermitRootLogin prohibit-password\nUseDNS no\n' >"$root/etc/ssh/sshd_config.d/10-twentysix.conf"
# As cloud-init would write it: it starts ssh anew when it has to change something.
printf 'PasswordAuthentication no\n' >"$root/etc/ssh/sshd_config.d/50-cloud-init.conf"
printf '[Journal]\nSystemMaxUse=64M\n' >"$root/etc/systemd/journald.conf.d/10-twentysix.conf"
echo 'APT::Install-Recommends "false";' >"$root/etc/apt/apt.conf.d/90-no-recommends"

# Every instance makes its own.
rm -f "$root/etc/ssh/ssh_host_"*
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id" "$root/var/lib/systemd/random-seed"
for folder in var/lib/apt/lists var/cache/apt var/log tmp; do
  find "$root/$folder" -mindepth 1 -delete
done
mkdir -p "$root/var/cache/apt/archives/partial" "$root/var/lib/apt/lists/partial" "$root/var/log/journal"
