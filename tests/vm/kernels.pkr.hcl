# Steps whose commands and waits are known, in a machine of any kernel.

variable "image" {
  type = string
}

source "qemu" "machine" {
  iso_url          = "${var.image}/disk.qcow2"
  iso_checksum     = "none"
  disk_image       = true
  skip_resize_disk = true
  format           = "qcow2"
  output_directory = "output"
  http_directory   = "${var.image}/http"
  accelerator      = "tcg"
  headless         = true
  memory           = 1024
  boot_wait        = "1s"
  ssh_username     = "packer"
  ssh_password     = "packer"
  ssh_timeout      = "10m"
  shutdown_command = "sudo systemctl poweroff"
  qemuargs = [
    ["-kernel", "${var.image}/vmlinuz"],
    ["-initrd", "${var.image}/initrd.img"],
    ["-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet mitigations=off cryptomgr.notests"],
    ["-cpu", "max"],
  ]
}

build {
  sources = ["source.qemu.machine"]

  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command_sudo
  }

  provisioner "shell" {
    execute_command  = local.buildtel_execute_command_sudo
    environment_vars = ["BUILDTEL_STEP=commands"]
    inline = [
      "sleep 2", "for n in $(seq 500); do /bin/true; done",
      "head -c 3000000 /dev/urandom | gzip > /srv/x.gz", "sleep 2",
    ]
  }

  provisioner "shell" {
    execute_command  = local.buildtel_execute_command_sudo
    environment_vars = ["BUILDTEL_STEP=lock"]
    inline           = ["flock /srv/l sleep 8 &", "sleep 0.5", "flock /srv/l true", "wait"]
  }

  provisioner "shell" {
    execute_command  = local.buildtel_execute_command_sudo
    environment_vars = ["BUILDTEL_STEP=sleep"]
    inline           = ["sleep 8"]
  }

  provisioner "shell" {
    execute_command  = local.buildtel_execute_command_sudo
    environment_vars = ["BUILDTEL_STEP=silent"]
    inline           = ["wget -q -T 8 -t 1 -O /dev/null http://10.0.2.250/ || true"]
  }

  provisioner "shell" {
    execute_command  = local.buildtel_execute_command_sudo
    environment_vars = ["BUILDTEL_STEP=flush"]
    inline           = ["timeout 8 sh -c 'while :; do dd if=/dev/zero of=/srv/f bs=4k count=1 conv=fsync 2>/dev/null; done' || true"]
  }

  provisioner "shell" {
    execute_command  = local.buildtel_execute_command_sudo
    environment_vars = ["BUILDTEL_STEP=burn"]
    inline           = ["timeout 8 sh -c 'while :; do :; done' || true"]
  }

  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_finish_command_sudo
  }
}
