# use_env_var_file: buildtel's command works with it, the one with sudo does not; unwired it needs one that reads the file.
# steps: 3 of 4
locals {
  yes = true
}
source "qemu" "a" {
}
build {
  sources = ["source.qemu.a"]
@first
  provisioner "shell" { #< note: puts the variables on the command line
    use_env_var_file = local.yes
    execute_command  = local.buildtel_execute_command
    inline           = ["true"]
  }
  provisioner "shell" { #< wrong: has use_env_var_file, with which `sudo env` fails
    use_env_var_file = true
    execute_command  = local.buildtel_execute_command_sudo
    inline           = ["true"]
  }
  provisioner "shell" {
    use_env_var_file = false
    execute_command  = local.buildtel_execute_command_sudo
    inline           = ["true"]
  }
  provisioner "shell" { #< unmeasured: . {{ .EnvVarFile }} && {{ .Path }}
    use_env_var_file = true
    inline           = ["true"]
  }
@last
}
