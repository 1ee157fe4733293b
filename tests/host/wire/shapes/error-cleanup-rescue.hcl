# buildtel's own lines for a failed build.
# exit: 0
# steps: 0 of 0
source "qemu" "a" {
}
build {
  sources = ["source.qemu.a"]
  error-cleanup-provisioner "shell" {
    script              = local.buildtel_agent
    execute_command     = local.buildtel_rescue_command
    start_retry_timeout = "10s"
  }
@first
@last
}
