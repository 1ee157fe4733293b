# The user's command is kept, but it does not read the file.
# steps: 1 of 1
source "amazon-ebs" "a" {
}
build {
  sources = ["source.amazon-ebs.a"]
@first
  provisioner "shell" { #< wrong: has use_env_var_file, but its command does not read the file
    use_env_var_file = true
    execute_command  = "${local.buildtel_pre}chmod +x {{ .Path }}; {{ .Vars }} {{ .Path }}${local.buildtel_post}"
    inline           = ["true"]
  }
@last
}
