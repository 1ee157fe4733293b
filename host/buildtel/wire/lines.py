"""What a user adds to a template by hand, as text to copy."""

FIRST = """\
  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command
  }
"""

LAST = """\
  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_finish_command
  }
"""

STEP = """\
    environment_vars = ["BUILDTEL_STEP=a-name"]   # optional: the step's name
    execute_command  = local.buildtel_execute_command
"""

STEP_SUDO = """\
    execute_command  = local.buildtel_execute_command_sudo
"""

STEP_OWN = """\
    execute_command  = "${local.buildtel_pre}YOUR COMMAND${local.buildtel_post}"
"""

KEY = """\
    environment_vars = local.buildtel_environment
    use_env_var_file = true
    remote_folder    = "/dev/shm"
"""

SPOOL = """\
  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_spool_command
  }
  provisioner "file" {
    direction   = "download"
    source      = local.buildtel_spool
    destination = "buildtel-spool.jsonl"
  }
"""

GUIDE = f"""\
Add to the build block, before all other provisioners:

{FIRST}
and after all others:

{LAST}
That is level 1: the VM's whole life, told apart by provisioner. For exact figures of a shell
provisioner (level 2), add to it:

{STEP}
or, where the script needs root:

{STEP_SUDO}
or, where it has an execute_command already, wrap that as it stands:

{STEP_OWN}
Optional, before that last provisioner: every sample at full resolution, beside the log:

{SPOOL}
Optional, with the variable buildtel_key set, in the first provisioner: signed records:

{KEY}
Then build the folder: `buildtel-host packer build .`, or `packer build -timestamp-ui . | tee packer.log` and `collect`.
`packer build one-file.pkr.hcl` does not load the file beside it.
"""
