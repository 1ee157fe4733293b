# A small Debian, changed by steps whose work is known, every step measured (level 2).
#
#   image=$(sh tests/vm/make_base_image.sh)      # makes the machine that this starts from
#   buildtel-host wire packer/examples/debian-qemu
#   cd packer/examples/debian-qemu && buildtel-host packer build -var image="$image" .
#
# Packer 1.10 and later need its plugin first: packer plugins install github.com/hashicorp/qemu

variable "image" {
  description = "Folder with disk.qcow2, vmlinuz, initrd.img and http/payload.bin (60 MiB)."
  type        = string
}

variable "output_directory" {
  type    = string
  default = "output"
}

variable "exit_status" {
  description = "What the step verify-upload ends with: anything but 0 fails the build there."
  type        = number
  default     = 0
}

variable "reboots" {
  description = "How often the machine is started again, from within a step."
  type        = number
  default     = 1
}

source "qemu" "debian" {
  iso_url          = "${var.image}/disk.qcow2"
  iso_checksum     = "none"
  disk_image       = true
  skip_resize_disk = true
  format           = "qcow2"
  output_directory = var.output_directory
  http_directory   = "${var.image}/http"
  accelerator      = "tcg"
  headless         = true
  memory           = 1024
  boot_wait        = "1s"
  ssh_username     = "packer"
  ssh_password     = "packer"
  ssh_timeout      = "10m"
  shutdown_command = "sudo systemctl poweroff"
  shutdown_timeout = "5m"

  # The kernel comes from beside the disk, so that the disk needs no boot loader.
  qemuargs = [
    ["-kernel", "${var.image}/vmlinuz"],
    ["-initrd", "${var.image}/initrd.img"],
    ["-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet mitigations=off cryptomgr.notests"],
    ["-cpu", "max"],
  ]
}

build {
  sources = ["source.qemu.debian"]

  # First: brings the agent in. Empty when buildtel_enabled is false, as the last one is.
  dynamic "provisioner" {
    for_each = local.buildtel_first
    labels   = ["shell"]
    content {
      script          = provisioner.value.script
      execute_command = provisioner.value.execute_command
    }
  }

  provisioner "file" {
    source      = "${path.root}/files/greeting.txt"
    destination = "/tmp/greeting.txt"
  }

  provisioner "shell" {
    environment_vars = ["BUILDTEL_STEP=verify-upload"]
    execute_command  = local.buildtel_execute_command
    inline           = ["test -s /tmp/greeting.txt", "exit ${var.exit_status}"]
  }

  provisioner "shell" {
    environment_vars = ["BUILDTEL_STEP=write-200-mib"]
    execute_command  = local.buildtel_execute_command_sudo
    inline           = ["dd if=/dev/zero of=/srv/zeros.bin bs=1M count=200 conv=fsync"]
  }

  provisioner "shell" {
    environment_vars = ["BUILDTEL_STEP=download-60-mib"]
    execute_command  = local.buildtel_execute_command
    inline           = ["wget -q -O /dev/null http://$PACKER_HTTP_ADDR/payload.bin"]
  }

  provisioner "shell" {
    environment_vars = ["BUILDTEL_STEP=burn-20-s"]
    execute_command  = local.buildtel_execute_command
    inline           = ["timeout 20 sh -c 'while :; do :; done' || test $? -eq 124"]
  }

  # An execute_command of one's own, wrapped as it stands. The step is named by its script.
  provisioner "shell" {
    execute_command = "${local.buildtel_pre}sudo -S env {{ .Vars }} nice sh {{ .Path }}"
    script          = "${path.root}/scripts/sleep-20-s.sh"
  }

  provisioner "shell" {
    environment_vars = ["BUILDTEL_STEP=allocate-300-mib"]
    execute_command  = local.buildtel_execute_command
    inline           = ["python3 -c 'import time; held = b\"x\" * (300 << 20); time.sleep(5)'"]
  }

  provisioner "shell" {
    environment_vars  = ["BUILDTEL_STEP=reboot"]
    execute_command   = local.buildtel_execute_command_sudo
    expect_disconnect = true
    inline            = ["systemctl reboot", "sleep 300"]
  }

  dynamic "provisioner" {
    for_each = range(2, var.reboots + 1)
    labels   = ["shell"]
    content {
      pause_before      = "5s"
      environment_vars  = ["BUILDTEL_STEP=reboot-${provisioner.value}"]
      execute_command   = local.buildtel_execute_command_sudo
      expect_disconnect = true
      inline            = ["systemctl reboot", "sleep 300"]
    }
  }

  provisioner "shell" {
    pause_before     = "5s"
    environment_vars = ["BUILDTEL_STEP=after-reboot"]
    execute_command  = local.buildtel_execute_command
    inline           = ["test -s /srv/zeros.bin"]
  }

  # Last: takes the agent and all that it made out of the image.
  dynamic "provisioner" {
    for_each = local.buildtel_last
    labels   = ["shell"]
    content {
      script          = provisioner.value.script
      execute_command = provisioner.value.execute_command
    }
  }
}
