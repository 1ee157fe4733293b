# The pieces in an override are put together wrongly.
# steps: 0 of 1
source "qemu" "a" {
}
build {
  sources = ["source.qemu.a"]
@first
  provisioner "shell" {
    inline = ["true"]
    override = { #< wrong: for a (override) is wired wrongly: buildtel_pre stands there without buildtel_post
      a = { execute_command = "${local.buildtel_pre}sh {{ .Path }}" }
    }
  }
@last
}
