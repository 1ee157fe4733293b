# One source gets a command of its own, without buildtel. After hashicorp/packer's documentation.
# steps: 0 of 1
source "qemu" "a" {
}
source "qemu" "b" {
}
build {
  sources = ["source.qemu.a", "source.qemu.b"]
@first
  provisioner "shell" {
    inline          = ["true"]
    execute_command = local.buildtel_execute_command
    override = { #< unmeasured: for b (override) is not measured as a step
      b = {
        execute_command = "sudo sh {{ .Path }}"
      }
    }
  }
@last
}
