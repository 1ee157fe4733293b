"""The table of texts of single plugins that start a phase.

One row a plugin: name, the version whose source was read, and the patterns by phase. `docs/plugin_texts.py` lists what
a newer version says beside these. The words that many plugins share stand in `phases.py`.
"""

from __future__ import annotations

PLUGIN_TEXTS: tuple[tuple[str, str, dict[str, tuple[str, ...]]], ...] = (
    ("alicloud", "1.1.3", {
        "create_machine": ("Creating vpc...", "Creating vswitch...", "Allocating EIP..."),
        "shutdown": ("Stoping instance: %s",),
        "create_image": (
            "Creating temporary image for encryption: %s", "Coping image %s from %s...",
            "Adding tags(%s) to snapshot: %s", "Waiting for importing %s/%s to alicloud...",
        ),
    }),
    ("amazon", "1.8.3", {
        "create_machine": (
            "Creating Spot Fleet launch template...", "Attaching policy to the temporary role: %s",
            "Waiting for the change to propagate because of eventual consistency...",
            "Attaching Root EBS Device Name %s, Volume ID: %s",
        ),
        "shutdown": (
            "Automatic instance stop disabled. Please stop instance manually.",
            "Enabling Enhanced Networking (SR-IOV)...", "Enabling Enhanced Networking (ENA)...",
            "Disabling Enhanced Networking (ENA)...",
        ),
        "create_image": (
            "Creating AMI %s from instance %s", "Requesting snapshot of volume: %s...",
            "Setting User/Group Permissions for Snapshots...",
            "Attaching run tags to AMI...", "Compiling list of existing tags to remove...",
            "Waiting for task %s to complete (may take a while)", "Uploading X509 Certificate...",
        ),
    }),
    ("azure", "2.6.4", {
        "create_machine": (
            "Disk attached, waiting for device to show up", "Attaching disk '%s'", "Checking source disk location",
        ),
        "shutdown": ("Running pre-unmount commands...",),
        "cleanup": ("Waiting for disk %q detach to complete",),
    }),
    ("cloudstack", "1.0.2", {
        "create_machine": ("Setup networking...",),
        "cleanup": ("Expunging instance...", "Checking attached iso..."),
    }),
    ("digitalocean", "1.4.1", {"create_image": ("Transferring snapshot (ID: %d) to %s...",)}),
    ("exoscale", "0.5.2", {
        "access": ("Creating SSH key",),
        "create_machine": ("Creating compute instance",),
        "shutdown": ("Stopping compute instance",),
        "create_image": (
            "Creating compute instance snapshot", "Registering compute instance template (in %s)",
            "Copying compute instance template (to %s)",
        ),
        "export": ("Downloading compute instance snapshot", "Uploading template file"),
        "cleanup": ("Cleanup: destroying compute instance", "Cleanup: deleting SSH key"),
    }),
    ("googlecompute", "1.2.8", {"access": ("Obtaining SSH Username for OSLogin...",)}),
    ("hcloud", "1.7.2", {
        "access": ("Uploading temporary SSH key for instance...",),
        "create_machine": ("Upgrading server type...", "Enabling Rescue Mode..."),
        "boot": ("Starting server...", "Rebooting server..."),
    }),
    ("hyperv", "1.1.5", {
        "create_media": (
            "Mounting os dvd drive %s ...", "Mounting secondary DVD images...", "Mounting floppy drive...",
        ),
        "create_machine": (
            "Creating switch '%v' if required...", "Creating external switch...", "Enabling Integration Service...",
            "Setting boot drive to os dvd drive %s ...", "Determine Host IP for HyperV machine...",
        ),
        "boot": (
            "Configuring ip address...", "Configuring vlan...", "Rebooting vm...",
            "Start polling VM to check the installation is complete...", "Attempting to connect with vmconnect...",
            "Waiting the VM to complete rebooting (2 minutes)...",
        ),
        "cleanup": (
            "Delete os dvd drives controller %d location %d ...",
            "Delete Integration Services dvd drives controller %d location %d ...",
            "Delete secondary dvd drives controller %d location %d ...", "Clean up os dvd drive...",
        ),
    }),
    ("ibmcloud", "3.7.0", {
        "prepare": (
            "Creating VPC service...", "Fetching Base Image ID...", "Looking for security group: %s",
            "Verifying the security group and subnets belong to the same VPC..",
        ),
        "access": (
            "Creating a new SSH key for VPC...", "Creating SSH Public and Private Key Pair...",
            "Creating a temp Security Group on VPC %s ...", "Creating Security Group's rule to allow %s connection",
        ),
        "create_machine": (
            "Creating an instance...", "Instance created: %s (%s). Waiting for it to start...", "Getting %s IP...",
            "Reserve a Floating IP and associate it to the instance's network interface", "Reserving a Floating IP",
            "Waiting for the Floating IP to become ACTIVE...", "Attaching Instance to the Security Group",
        ),
        "shutdown": ("Rebooting instance to cleanly complete any installed software components...",),
        "create_image": (
            "Preparing for capturing the instance image. Image snapshot type is '%s'.",
            "Creating an Image from instance ID: %s ...", "Waiting for the Image to become AVAILABLE...",
        ),
        "export": (
            "Creating Image Export Job...", "Waiting for the Export image to SUCCEED...",
            "Waiting for up to %v for export job to complete",
        ),
        "cleanup": (
            "* Cleaning Up all temporary infrastructure created during packer execution *",
            "Releasing the Floating IP: %s ...",
            "Waiting for the instance to have no active transactions before destroying it...",
        ),
    }),
    ("linode", "1.0.4", {
        "create_machine": ("Creating configuration profile: %s...",),
        "boot": ("Booting Linode with config ID %d...",),
        "create_image": ("Adding image %s to image share group %d...",),
    }),
    ("nutanix", "1.1.9", {
        "create_media": ("Uploading CD disk...", "Uploading %s for disk %d ..."),
        "create_machine": ("Creating Packer Builder virtual machine...",),
        "shutdown": ("No Communicator configured, halting the virtual machine...",),
        "create_image": ("Creating OVA for virtual machine %s...", "Creating Template for virtual machine %s..."),
        "export": ("Downloading image %s...",),
        "cleanup": ("Force deleting virtual machine...", "Retaining virtual machine..."),
    }),
    ("openstack", "1.1.4", {
        "retrieve_image": ("Importing External Source Image from URL %s",),
        "create_machine": (
            "Waiting for volume %s (volume id: %s) to become available...", "Loading flavor: %s",
            "Creating floating IP using network %s ...", "Searching for unassociated floating IP",
            "Associating floating IP '%s' (%s) with instance port...",
            "Waiting for password since WinRM password is not set...",
        ),
        "create_image": (
            "Accepting image %s for member '%s'", "Adding member '%s' to image %s", "Updating image min disk to %d",
            "Updating image tags to %s", "Updating image visibility to %s",
        ),
    }),
    ("oracle", "1.1.3", {
        "create_machine": (
            "Waiting for instance to enter 'RUNNING' state...", "Creating master instance...",
            "Configuring security lists and rules to enable %s access...",
        ),
        "create_image": ("Adding image to image list...", "Updating image schema..."),
    }),
    ("outscale", "1.0.7", {
        "create_machine": (
            "Waiting for vm (%v) to become ready...", "Creating temporary PublicIp for instance %s",
            "Linking temporary PublicIp %s to instance %s", "Copying files from host to chroot...",
        ),
        "shutdown": ("Stopping vm, attempt %d", "Automatic vm stop disabled. Please stop vm manually."),
        "create_image": (
            "Registering the OMI...", "Updating attributes on OMI (%s)...", "Adding tags to OMI (%s)...",
            "Updating attributes on snapshot (%s)...", "Copying source OMI into the current account...",
        ),
    }),
    ("parallels", "1.0.3", {
        "prepare": ("Uploading Parallels Tools for '%s' to path: '%s'", "Uploading Parallels version info (%s)"),
        "create_machine": ("Applying default settings...", "Setting the boot order..."),
    }),
    ("proxmox", "1.2.5", {
        "prepare": ("Force set, checking for existing artifact on PVE cluster",),
        "shutdown": ("Hardware changes pending for VM, stopping VM",),
        "convert": ("Adding a cloud-init cdrom in storage pool %s",),
    }),
    ("qemu", "1.1.5", {"convert": ("Error getting file lock for conversion; retrying...",)}),
    ("scaleway", "1.1.1", {
        "prepare": ("Pre-validating image name: %s", "Pre-validating snapshot names"),
        "create_machine": ("Attaching private network %s...",),
        "shutdown": (
            "Waiting for any user data apply to finish if provided...", "Trying to remove machine-related data...",
        ),
        "create_image": ("Backing up server to image: %v",),
    }),
    ("tencentcloud", "1.2.1", {
        "prepare": ("%s: Trying to check image name...", "%s: Trying to check source image..."),
        "access": ("%s: Trying to create a new keypair...",),
        "create_machine": (
            "Trying to create a new instance...", "Trying to create a new securitygroup...",
            "Trying to create a new subnet...", "Trying to create a new vpc...",
        ),
        "create_image": (
            "%s: Trying to create a new image...", "%s: Trying to copy image to...", "%s: Trying to share image to...",
        ),
        "shutdown": ("%s: Trying to detach keypair...",),
    }),
    ("vagrant", "1.1.7", {
        "prepare": ("Creating a Vagrantfile in the build directory...",),
        "retrieve_image": ("Adding box using vagrant box add ...",),
        "cleanup": ("halting Vagrant box...", "suspending Vagrant box...", "destroying Vagrant box...",
                    "Halting Vagrant box...", "Suspending Vagrant box...", "Destroying Vagrant box..."),
        "export": (
            "Creating Vagrant box for '%s' provider", "Preparing upload of box: %s", "Uploading box: %s",
            "Waiting for box to become available...", "Verifying box is accessible: %s",
        ),
    }),
    ("virtualbox", "1.1.6", {
        "prepare": ("Uploading VirtualBox guest additions ISO...", "Uploading VirtualBox version info (%s)"),
        "create_machine": (
            "Mounting ISOs...", "Attaching floppy disk...", "Attaching snapshot %s on virtual machine %s",
        ),
        "cleanup": ("Reverting to snapshot %s on virtual machine %s",),
    }),
    ("vmware", "2.1.1", {
        "prepare": ("Uploading VMware Tools ISO to %s...", "Uploading VMware Tools ISO (%s) to %s..."),
        "create_disk": ("Attaching %d additional disk(s)...",),
        "shutdown": (
            "Waiting %s for clean up...", "Waiting for clean up...",
            "Please perform the necessary manual operations to stop the virtual machine.",
        ),
    }),
    ("vsphere", "2.1.0", {
        "create_machine": (
            "Applying custom hardware configuration...", "Adding virtual machine flags...", "Resolving datastore from",
            "Requesting Storage DRS recommendations for %d disks...", "Setting temporary boot order...",
        ),
        "boot": ("Trying boot command again...",),
        "shutdown": ("Please shutdown virtual machine within %s.",),
        "export": (
            "Writing OVF descriptor %s...", "Writing %s manifest %s...", "Pausing momentarily to prepare for the next",
            "Importing %s template %s to Content Library '%s' as the item '%s' with the description '%s'...",
        ),
        "cleanup": ("Reattaching CD-ROM devices...", "Closing sessions..."),
    }),
    ("vultr", "2.7.0", {
        "prepare": ("Running Vultr builder...",),
        "create_media": ("Creating ISO in Vultr account...", "Waiting %ds for ISO %s (%s) to complete uploading..."),
        "create_machine": ("Creating Vultr instance...", "Waiting %ds for server %s to power on..."),
        "shutdown": ("Performing graceful shutdown...", "Sleeping to ensure that server is shut down..."),
        "create_image": ("Waiting %ds for snapshot %s to complete...",),
    }),
    ("yandex", "1.1.4", {
        "create_machine": (
            "Creating network...", "Creating subnet in zone %q...",
            "Waiting for instance with id %s to become active...",
        ),
        "export": ("Create secondary disk from image for export...", "Attach secondary disk to instance..."),
    }),
)  # fmt: skip
