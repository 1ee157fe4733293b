# The agent is brought in, but no command of buildtel's runs it.
# steps: 0 of 0
source "qemu" "a" {
}
build { #< wrong: lacks buildtel's first
  sources = ["source.qemu.a"]
  provisioner "shell" { #< wrong: runs the agent, but has none of buildtel's commands
    script = local.buildtel_agent
  }
@last
}
