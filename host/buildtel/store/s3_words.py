"""The messages for errors of an S3 server, with a fix for each."""

from __future__ import annotations

KEYS = "MINIO_ACCESS_KEY and MINIO_SECRET_KEY (or AWS_PROFILE, AWS_ACCESS_KEY_ID, …)"

# S3's error code: what is wrong and how to fix it. `{bucket}` and `{verb}` are filled in.
REFUSALS = {
    "InvalidAccessKeyId": f"it does not know the access key. Check {KEYS}",
    "SignatureDoesNotMatch": f"it refuses the secret key. Check {KEYS}",
    "InvalidToken": "it refuses the session token. Log in anew",
    "ExpiredToken": "the credentials have expired. Log in anew",
    "AccessDenied": "the access key may not {verb} in bucket {bucket!r}. Grant it s3:{right}",
    "AllAccessDisabled": "bucket {bucket!r} is disabled. Ask its owner",
    "NoSuchBucket": "it has no bucket {bucket!r}. Make it, or set TELEMETRY_BUCKET",
    "InvalidBucketName": "{bucket!r} is not a bucket name. Set TELEMETRY_BUCKET",
    "RequestTimeTooSkewed": "the clocks of this machine and the server differ too much. Synchronize them",
    "PermanentRedirect": "bucket {bucket!r} is in another region. Set AWS_REGION",
    "AuthorizationHeaderMalformed": "it is in another region. Set AWS_REGION",
    "QuotaExceeded": "bucket {bucket!r} is full. Raise its quota, or prune",
    "XMinioAdminBucketQuotaExceeded": "bucket {bucket!r} is full. Raise its quota, or prune",
    "XMinioStorageFull": "its disks are full. Free some space, or prune",
    "InsufficientStorage": "its disks are full. Free some space, or prune",
}
BY_STATUS = {
    301: "PermanentRedirect",
    403: "AccessDenied",
    507: "InsufficientStorage",
}
RIGHTS = {"write": "PutObject", "read": "GetObject (and s3:ListBucket)", "list": "ListBucket", "remove": "DeleteObject"}

PASSING = {
    "ConditionalRequestConflict", "InternalError", "OperationAborted", "RequestTimeout", "ServiceUnavailable",
    "SlowDown", "Throttling", "ThrottlingException", "TooManyRequests", "XMinioServerNotInitialized",
}  # fmt: skip
PASSING_STATUS = {408, 425, 429, 500, 502, 503, 504}

# The name of botocore's exception: what is wrong and how to fix it.
FAILURES = {
    "NoCredentialsError": f"no credentials. Set {KEYS}",
    "PartialCredentialsError": f"the credentials are not complete. Set {KEYS}",
    "CredentialRetrievalError": f"no credentials were found. Check {KEYS}",
    "UnauthorizedSSOTokenError": "the login has expired. Log in anew",
    "SSOTokenLoadError": "the login has expired. Log in anew",
    "TokenRetrievalError": "the login has expired. Log in anew",
    "ProfileNotFound": "AWS_PROFILE names a profile that does not exist. Correct it",
    "ConfigParseError": "the AWS configuration file can't be read. Correct it",
    "InvalidConfigError": "the AWS configuration file can't be used. Correct it",
}  # fmt: skip
LOST = {
    "EndpointConnectionError": "it can't be reached. Check the address, and that it runs",
    "ConnectTimeoutError": "it does not answer. Check the address, and the way to it",
    "ProxyConnectionError": "the proxy can't be reached. Check HTTPS_PROXY and NO_PROXY",
    "ReadTimeoutError": "it is too slow to answer",
    "ConnectionClosedError": "it closed the connection",
    "IncompleteReadError": "its answer was cut off",
    "ResponseStreamingError": "its answer was cut off",
    "ResponseParserError": "its answer is not S3. Check that the address is that of an S3 server",
}
CA = "If its authority is your own, name its file in AWS_CA_BUNDLE"
CERTIFICATES = {
    "certificate has expired": "its TLS certificate has expired. Renew it on the server",
    "not yet valid": "its TLS certificate is not valid yet. Check the clocks",
    "hostname mismatch": "its TLS certificate is for another name. Check the address",
    "ip address mismatch": "its TLS certificate is for another address. Check the address",
    "self-signed": f"its TLS certificate is self-signed. {CA}",
    "self signed": f"its TLS certificate is self-signed. {CA}",
    "unable to get local issuer": f"its TLS certificate is from an unknown authority. {CA}",
    "wrong version number": "it does not speak TLS. Use http:// or another port",
}


def refusal(code: str, status: int, verb: str, bucket: str) -> str:
    """What an answer with S3's error `code` and HTTP `status` means.

    Args:
        code: S3's error code.
        status: the HTTP status.
        verb: what the request did: read, write, list or remove.
        bucket: the bucket.
    """
    words = REFUSALS.get(code) or REFUSALS.get(BY_STATUS.get(status, ""))
    if words is None:
        return f"it answered {code or 'an error'} (HTTP {status}) to our {verb}"
    return words.format(bucket=bucket, verb=verb, right=RIGHTS[verb])


def passes(code: str, status: int) -> bool:
    """True if the same request may succeed a moment later.

    Args:
        code: S3's error code.
        status: the HTTP status.
    """
    return code in PASSING or status in PASSING_STATUS


def certificate(text: str) -> str:
    """What a failed TLS handshake means, told from OpenSSL's words."""
    found = (words for part, words in CERTIFICATES.items() if part in text.lower())
    return next(found, f"no TLS connection. {CA}")
