# A command of the user's that reads the file, or has the variables as Packer writes them: both are right.
# exit: 0
# steps: 2 of 2
source "amazon-ebs" "a" {
}
build {
  sources = ["source.amazon-ebs.a"]
@first
  provisioner "shell" {
    use_env_var_file = true
    execute_command  = "${local.buildtel_pre}chmod +x {{ .Path }}; . {{ .EnvVarFile }} && {{ .Path }}${local.buildtel_post}"
    inline           = ["true"]
  }
  provisioner "shell" {
    use_env_var_file = true
    execute_command  = "${local.buildtel_pre}chmod +x {{ .Path }}; {{ .Vars }} {{ .Path }}${local.buildtel_post}"
    inline           = ["true"]
  }
@last
}
