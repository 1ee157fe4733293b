# use_env_var_file: buildtel's own command does not read the file, a wrapped one may.
# steps: 2 of 3
locals {
  yes = true
}
source "qemu" "a" {
}
build {
  sources = ["source.qemu.a"]
@first
  provisioner "shell" { #< wrong: use_env_var_file
    use_env_var_file = local.yes
    execute_command  = local.buildtel_execute_command
    inline           = ["true"]
  }
  provisioner "shell" {
    use_env_var_file = true
    execute_command  = "${local.buildtel_pre}chmod +x {{ .Path }}; . {{ .EnvVarFile }} && {{ .Path }}${local.buildtel_post}"
    inline           = ["true"]
  }
  provisioner "shell" { #< unmeasured: . {{ .EnvVarFile }} && {{ .Path }}
    use_env_var_file = true
    inline           = ["true"]
  }
@last
}
