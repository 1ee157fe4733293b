# Both have buildtel in it, and an override of something else is none of its business.
# exit: 0
# steps: 2 of 2
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
    override = {
      b = {
        execute_command = "${local.buildtel_pre}sudo sh {{ .Path }}${local.buildtel_post}"
      }
    }
  }
  provisioner "shell" {
    inline          = ["true"]
    execute_command = local.buildtel_execute_command
    override = {
      a = { inline = ["false"] }
    }
  }
@last
}
