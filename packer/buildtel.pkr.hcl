# buildtel: measures the steps of a build inside the virtual machine it builds.
#
# Lay this file and buildtel_agent.py beside your template (`buildtel-host wire DIR` does it) and run
# `packer build .`; `packer build one-file.pkr.hcl` does not load this library: for that `buildtel-host wire FILE` prints
# lines to paste. Nothing here needs an edit.
#
#   build {
#     provisioner "shell" {                                   # the first provisioner
#       script          = local.buildtel_agent
#       execute_command = local.buildtel_install_command
#     }
#
#     provisioner "shell" {                                   # each of yours that is to be measured exactly
#       execute_command  = local.buildtel_execute_command
#       environment_vars = ["BUILDTEL_STEP=install-docker"]   # optional: its name
#       script           = "install-docker.sh"
#     }
#
#     provisioner "shell" {                                   # the last provisioner
#       script          = local.buildtel_agent
#       execute_command = local.buildtel_finish_command
#     }
#   }
#
# An execute_command of your own stays as it is, behind a piece that must stand before all of it:
#   execute_command = "${local.buildtel_pre}echo 'pw' | sudo -S env {{ .Vars }} {{ .Path }}"

variable "buildtel_enabled" {
  type        = bool
  default     = true
  description = "Measure the steps of the build; false runs every command as if buildtel was not there."
}

variable "buildtel_key" {
  type        = string
  default     = ""
  sensitive   = true
  description = "A long random text: signs the records, so that `collect` with the same BUILDTEL_KEY tells forged ones."
}

variable "buildtel_block" {
  type        = bool
  default     = true
  description = "Print the readable block around each step; false prints none. The figures are in the document either way."
}

variable "buildtel_records" {
  type        = string
  default     = "log"
  description = "Where the records go: \"log\", or \"spool\": only those of failing steps are in the log, all in the spool."

  validation {
    condition     = var.buildtel_records == "log" || var.buildtel_records == "spool"
    error_message = "The variable buildtel_records is \"log\" or \"spool\"."
  }
}

locals {
  # The agent beside the template, for `script =`; and where the first provisioner puts it in the machine.
  buildtel_agent = "${path.root}/buildtel_agent.py"
  buildtel_guest = "/var/tmp/buildtel/buildtel_agent.py"

  # execute_command of the first and of the last provisioner. They never fail a build.
  buildtel_install_command = var.buildtel_enabled ? "${local.buildtel_take_key}sh '{{ .Path }}' install '{{ .PackerRunUUID }}'${local.buildtel_quiet} || true" : "true"
  buildtel_finish_command  = var.buildtel_enabled ? "sh '${local.buildtel_guest}' finish --run '{{ .PackerRunUUID }}' --to '${local.buildtel_spool}' 2>/dev/null || true" : "true"

  # What `install` is to keep out of the log.
  buildtel_quiet = "${var.buildtel_block ? "" : " --block false"}${var.buildtel_records == "spool" ? " --records spool" : ""}"

  # With a buildtel_key the first provisioner needs three lines more, so that the key stands on no command line and,
  # by /dev/shm, on no disk of the machine:
  #   environment_vars = local.buildtel_environment
  #   use_env_var_file = true
  #   remote_folder    = "/dev/shm"
  buildtel_environment = var.buildtel_key == "" || !var.buildtel_enabled ? [] : ["BUILDTEL_KEY=${var.buildtel_key}"]
  buildtel_take_key    = var.buildtel_key == "" ? "" : "[ ! -r '{{ .EnvVarFile }}' ] || . '{{ .EnvVarFile }}'; "

  # The same two by sudo, where it asks for no password; else they do what the plain ones do. See docs/security.md.
  buildtel_install_command_sudo = var.buildtel_enabled ? "sudo -n sh -c \"${local.buildtel_take_key}sh '{{ .Path }}' install '{{ .PackerRunUUID }}'${local.buildtel_quiet}\" || ${local.buildtel_install_command}" : "true"
  buildtel_finish_command_sudo  = var.buildtel_enabled ? "sudo -n ${local.buildtel_finish_command}; ${local.buildtel_finish_command}" : "true"

  # Before the last provisioner, optional (with buildtel_records = "spool" it is where the records are): everything at
  # full resolution, as a file on this side, for `buildtel-host packer --spool FILE` or `collect --spool FILE`.
  #   provisioner "shell" {
  #     script          = local.buildtel_agent
  #     execute_command = local.buildtel_spool_command
  #   }
  #   provisioner "file" {
  #     direction   = "download"
  #     source      = local.buildtel_spool
  #     destination = "buildtel-spool.jsonl"
  #   }
  # Of a build that fails, into the log (Packer 1.7 and later; an error-cleanup-provisioner):
  #   error-cleanup-provisioner "shell" {
  #     script              = local.buildtel_agent
  #     execute_command     = local.buildtel_rescue_command
  #     start_retry_timeout = "10s"
  #   }
  buildtel_spool          = "/dev/shm/buildtel-spool.jsonl"
  buildtel_spool_command  = var.buildtel_enabled ? "sh '${local.buildtel_guest}' spool --run '{{ .PackerRunUUID }}' --to '${local.buildtel_spool}' 2>/dev/null; test -e '${local.buildtel_spool}' || true >'${local.buildtel_spool}' || true" : "true >'${local.buildtel_spool}' || true"
  buildtel_rescue_command = var.buildtel_enabled ? "sh '${local.buildtel_guest}' spool --run '{{ .PackerRunUUID }}' 2>/dev/null || true" : "true"

  # The same two as lists for `dynamic "provisioner"`: empty when switched off.
  #   dynamic "provisioner" {
  #     for_each = local.buildtel_first
  #     labels   = ["shell"]
  #     content {
  #       script          = provisioner.value.script
  #       execute_command = provisioner.value.execute_command
  #     }
  #   }
  buildtel_first = var.buildtel_enabled ? [{ script = local.buildtel_agent, execute_command = local.buildtel_install_command }] : []
  buildtel_last  = var.buildtel_enabled ? [{ script = local.buildtel_agent, execute_command = local.buildtel_finish_command }] : []

  # What stands before a measured command, in its own shell: it tells the agent's sampler which process is the step, and
  # has ended when the step begins. Where nothing is installed it does nothing. Nothing needs to stand behind it.
  buildtel_pre  = var.buildtel_enabled ? "/bin/sh -c '{ test -r $0 && . $0; } 2>/dev/null' '${local.buildtel_guest}' tell '{{ .PackerRunUUID }}'; " : ""
  buildtel_post = "" # what older templates put behind a command

  # execute_command of a measured shell provisioner: Packer's default, and the same as root for a user who may sudo without
  # a password.
  buildtel_execute_command      = "${local.buildtel_pre}chmod +x {{ .Path }}; {{ .Vars }} {{ .Path }}"
  buildtel_execute_command_sudo = "${local.buildtel_pre}chmod +x {{ .Path }}; sudo -n env {{ .Vars }} {{ .Path }}"
}
