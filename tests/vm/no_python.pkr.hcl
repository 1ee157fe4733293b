variable "image" {
  type = string
}

source "qemu" "bare" {
  iso_url          = "${var.image}/disk.qcow2"
  iso_checksum     = "none"
  disk_image       = true
  skip_resize_disk = true
  format           = "qcow2"
  output_directory = "output"
  accelerator      = "tcg"
  headless         = true
  memory           = 768
  boot_wait        = "1s"
  ssh_username     = "packer"
  ssh_password     = "packer"
  ssh_timeout      = "10m"
  shutdown_command = "sudo systemctl poweroff"
  shutdown_timeout = "5m"
  qemuargs = [
    ["-kernel", "${var.image}/vmlinuz"],
    ["-initrd", "${var.image}/initrd.img"],
    ["-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet mitigations=off cryptomgr.notests"],
    ["-cpu", "max"],
  ]
}

build {
  sources = ["source.qemu.bare"]

  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command
  }

  provisioner "shell" {
    environment_vars = ["BUILDTEL_STEP=look for python"]
    execute_command  = local.buildtel_execute_command
    inline           = ["! command -v python3", "test ! -e /usr/bin/python3", "sleep 3"]
  }

  provisioner "shell" {
    environment_vars = ["BUILDTEL_STEP=write-50-mib"]
    execute_command  = local.buildtel_execute_command_sudo
    inline           = ["dd if=/dev/zero of=/srv/zeros.bin bs=1M count=50 conv=fsync", "id -u"]
  }

  provisioner "shell" {
    execute_command  = "${local.buildtel_pre}{{ .Vars }} sh {{ .Path }}${local.buildtel_post}"
    inline           = ["exit 7"]
    valid_exit_codes = [7]
  }

  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_finish_command
  }
}
