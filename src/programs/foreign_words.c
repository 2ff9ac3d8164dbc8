/* foreign_words - see foreign_words.h. */
#include "programs/foreign_words.h"

#include <string.h>

#include "programs/destination.h"
#include "programs/option_values.h"
#include "programs/option_words.h"
#include "programs/query_keys.h"

#define SERVERS    (PROGRAM_RECEIVER | PROGRAM_ARCHIVE)
#define ASKING     (PROGRAM_FINDER | PROGRAM_MOVER)
#define REQUESTORS (PROGRAM_SENDER | PROGRAM_ECHO | ASKING)
#define EVERYBODY  (SERVERS | REQUESTORS)

/* A row. As clang-format knows it, its arguments share lines. */
#define WORDS(...)                                                                                                     \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

/* What storescu and storescp have beside the syntax that an option of theirs names. */
#define UNCOMPRESSED "ExplicitVRLittleEndian,ExplicitVRBigEndian,ImplicitVRLittleEndian"
#define BIG_FIRST    "ExplicitVRBigEndian,ExplicitVRLittleEndian,ImplicitVRLittleEndian"

/* DCMTK's options for one syntax: of who sends ("-xs --propose-lossless"), and of who receives. */
#define SYNTAX_WORDS(letters, word, proposed, accepted)                                                                \
    {.programs = PROGRAM_SENDER, .spellings = "-" letters " --propose-" word, .means = "syntax=" proposed},            \
    {                                                                                                                  \
        .programs = SERVERS, .spellings = "+" letters " --prefer-" word, .means = "accept-syntaxes=" accepted          \
    }

static const struct foreign_word words[] = {
    /* ---- TLS ---- */
    WORDS(.programs = EVERYBODY, .spellings = "+tls --enable-tls", .means = "tls-key", .then = "tls-cert"),
    WORDS(.programs = REQUESTORS, .spellings = "+cf --add-cert-file +cd --add-cert-dir --cacert", .means = "tls-ca"),
    WORDS(.programs = SERVERS, .spellings = "+cf --add-cert-file +cd --add-cert-dir", .means = "tls-client-ca"),
    WORDS(.programs = EVERYBODY, .spellings = "--cert --cert-file", .means = "tls-cert"),
    WORDS(.programs = EVERYBODY, .spellings = "--key-file", .means = "tls-key"),
    WORDS(.programs = EVERYBODY, .spellings = "+pw --use-passwd", .means = "tls-key-password"),
    WORDS(.programs = REQUESTORS, .spellings = "-ic --ignore-peer-cert", .means = "tls-insecure"),
    WORDS(.programs = REQUESTORS, .spellings = "+tla --anonymous-tls", .means = "tls"),
    WORDS(.programs = EVERYBODY, .spellings = "--tls12 --tls13 --tls-aes --ssl", .means = "tls"),
    WORDS(.programs = SERVERS, .spellings = "-rc --require-peer-cert", .means = "tls-client=require"),
    WORDS(.programs = SERVERS, .spellings = "-vc --verify-peer-cert", .means = "tls-client=request"),
    WORDS(.programs = SERVERS, .spellings = "-ic --ignore-peer-cert --tls-noauth", .means = "tls-client=none"),
    /* The peer's certificate is checked, PEM is what is read, and the profile is B.12 in any case. */
    WORDS(.programs = REQUESTORS, .spellings = "-rc --require-peer-cert -vc --verify-peer-cert --tls-noauth"),
    WORDS(.programs = EVERYBODY,
          .spellings =
              "-tls --disable-tls -pem --pem-keys -pw --null-passwd +py --profile-bcp195-nd +px "
              "--profile-bcp195 +pz --profile-bcp195-ex +pg --profile-8996 +pm --profile-8996m +ws --write-seed "
              "--tls-eia-https --tls-eia-ldaps"),
    WORDS(.programs = EVERYBODY, .spellings = "+dp --dhparam +rs --seed +wf --write-seed-file", .values = 1),
    WORDS(.programs = EVERYBODY,
          .spellings = "+pb --profile-basic +pa --profile-aes +pn --profile-null --tls-3des --tls-null --tls1 --tls11 "
                       "--ssl2Hello --ssl3",
          .refused =
              "TLS 1.2 and 1.3 are spoken, with encryption and forward secrecy, and nothing older (PS3.15 B.12)"),
    WORDS(.programs = EVERYBODY, .spellings = "--tls-protocol", .refused = "see --tls-min for the oldest version"),
    WORDS(.programs = EVERYBODY, .spellings = "--tls-cipher +cs --cipher +cc --list-ciphers --list-profiles",
          .refused = "see --tls-ciphers, with the names that 'openssl ciphers' has"),
    WORDS(.programs = EVERYBODY, .spellings = "+ps --std-passwd",
          .refused = "nobody is asked for a password: see --tls-key-password-file"),
    WORDS(.programs = EVERYBODY, .spellings = "-der --der-keys",
          .refused = "files are PEM: 'openssl x509 -inform DER' and 'openssl pkey -inform DER' convert them"),
    WORDS(.programs = EVERYBODY,
          .spellings = "--key-pass --key-store --key-store-pass --key-store-type --trust-store --trust-store-pass "
                       "--trust-store-type",
          .refused = "files are PEM: 'keytool -importkeystore' and 'openssl pkcs12 -nodes' make them of a Java key "
                     "store; then see --tls-cert, --tls-key and --tls-ca"),
    WORDS(.programs = EVERYBODY,
          .spellings = "+crl --add-crl-file +crv --enable-crl-vfy +cra --enable-crl-all +vc --verify-cert +rc "
                       "--is-root-cert",
          .refused = "lists of revoked certificates are not looked at, and roots are those that are trusted"),
    /* ---- who asks ---- */
    WORDS(.programs = REQUESTORS, .spellings = "-usr --username", .means = "user"),
    WORDS(.programs = REQUESTORS, .spellings = "-kt --kerberos", .means = "kerberos-file"),
    WORDS(.programs = REQUESTORS, .spellings = "--saml", .means = "saml-file"),
    WORDS(.programs = REQUESTORS, .spellings = "--jwt", .means = "jwt-file"),
    WORDS(.programs = REQUESTORS, .spellings = "-rsp --pos-response --user-rsp", .means = "identity-response"),
    WORDS(.programs = REQUESTORS, .spellings = "-pwd --password --user-pass",
          .refused = "everybody on this machine can read a password in the arguments: put it into a file, "
                     "--password-file FILE, or into the variable DICOM_SENDER_PASSWORD"),
    WORDS(.programs = REQUESTORS, .spellings = "-epw --empty-password",
          .refused = "there is no empty password: leave it out, and the user's name goes alone"),
    WORDS(.programs = REQUESTORS, .spellings = "--user-saml --saml-assertion",
          .refused = "everybody on this machine can read what is in the arguments: put the assertion into a file, "
                     "--saml-file FILE"),
    WORDS(.programs = REQUESTORS, .spellings = "--user-jwt",
          .refused = "everybody on this machine can read what is in the arguments: put the token into a file, "
                     "--jwt-file FILE"),
    WORDS(.programs = REQUESTORS, .spellings = "--kerberos-service-ticket",
          .refused = "everybody on this machine can read what is in the arguments: put the ticket into a file, "
                     "--kerberos-file FILE"),
    WORDS(.programs = SERVERS, .spellings = "-usr --user -pwd --password --user-pass --username",
          .refused = "see --require-user for who is let in"),
    WORDS(.programs = PROGRAM_ARCHIVE,
          .spellings = "+Cr --use-request-charset -Cr --override-charset +A7 --convert-to-ascii +U8 --convert-to-utf8 "
                       "+L1 --convert-to-latin1 +C --convert-to-charset -Ct --transliterate -Cd --discard-illegal",
          .refused = "values are answered in the character set in which they are stored"),

    /* ---- of all ---- */
    WORDS(.programs = EVERYBODY,
          .spellings =
              "--arguments -cx --single-context --required-contexts -R --required +C --combine +u --enable-new-vr -up "
              "--uid-padding -dhl --disable-host-lookup --not-async --not-pack-pdv --tcp-delay"),
    WORDS(.programs = EVERYBODY, .spellings = "--soclose-delay --max-ops-performed", .values = 1),
    WORDS(.programs = EVERYBODY, .spellings = "--sosnd-buffer --sorcv-buffer", .means = "socket-buffer"),
    WORDS(.programs = EVERYBODY, .spellings = "+v --verbose-pc", .means = "debug"),
    WORDS(.programs = EVERYBODY, .spellings = "-ts --socket-timeout", .means = "network-timeout"),
    WORDS(.programs = EVERYBODY, .spellings = "--max-pdu-length --max-pdulen-rcv", .means = "max-pdu"),
    WORDS(.programs = EVERYBODY, .spellings = "-lc --log-config",
          .refused = "no file configures the log; see --log-level"),
    WORDS(.programs = EVERYBODY, .spellings = "-xf --config-file --assoc-config-file",
          .refused = "association profiles are not there"),
    WORDS(.programs = EVERYBODY, .spellings = "--max-pdulen-snd", .means = "max-send-pdu"),
    WORDS(.programs = PROGRAM_RECEIVER, .spellings = "--abort-during",
          .refused = "--abort-after N answers N stores of an association and aborts it at the next"),
    WORDS(.programs = EVERYBODY, .spellings = "--abort --abort-during",
          .refused = "associations are not aborted on purpose"),
    WORDS(.programs = EVERYBODY,
          .spellings = "--accept-timeout --send-timeout --store-timeout --response-timeout --release-timeout "
                       "--retrieve-timeout --retrieve-timeout-total --cstore-timeout --request-timeout",
          .refused = "timeouts are in seconds here: --acse-timeout for the association, --dimse-timeout for a "
                     "response, or --timeout for all"),
    WORDS(.programs = REQUESTORS, .spellings = "--idle-timeout",
          .refused = "timeouts are in seconds here: --network-timeout for a PDU to get through"),
    WORDS(.programs = REQUESTORS, .spellings = "--proxy", .refused = "there is no way through a proxy"),

    /* ---- of those who ask a peer ---- */
    WORDS(.programs = REQUESTORS, .spellings = "--calling-ae-title", .means = "calling-ae"),
    WORDS(.programs = REQUESTORS, .spellings = "--called-ae-title --called-ae", .means = "ae-title"),
    WORDS(.programs = REQUESTORS, .spellings = "--connection-timeout", .means = "connect-timeout"),
    WORDS(.programs = PROGRAM_SENDER | PROGRAM_MOVER, .spellings = "--prior-high", .means = "priority=high"),
    WORDS(.programs = PROGRAM_SENDER | PROGRAM_MOVER, .spellings = "--prior-low", .means = "priority=low"),
    WORDS(.programs = PROGRAM_ECHO | PROGRAM_FINDER, .spellings = "--prior-high --prior-low"),

    /* ---- storescu, dcmsend, dicom-storescu ---- */
    WORDS(.programs = PROGRAM_SENDER, .spellings = "--recurse", .means = "recursive"),
    WORDS(.programs = PROGRAM_SENDER, .spellings = "--scan-directories", .means = "scan-folders"),
    WORDS(.programs = PROGRAM_SENDER, .spellings = "+sp --scan-pattern", .means = "pattern"),
    WORDS(.programs = PROGRAM_SENDER, .spellings = "-f --read-dataset +f --read-file", .means = "accept-raw"),
    WORDS(.programs = PROGRAM_SENDER, .spellings = "--max-ops-invoked", .means = "window"),
    WORDS(.programs = PROGRAM_SENDER,
          .spellings = "+fo --read-file-only -nh --no-halt -rn --no-rename --no-recurse -nip --no-illegal-proposal +ma "
                       "--multi-associations -ma --single-association --rel-ext-neg"),
    WORDS(.programs = PROGRAM_SENDER, .spellings = "--never-transcode", .means = "transcode=never"),
    WORDS(.programs = PROGRAM_SENDER, .spellings = "-dn --decompress-never", .means = "transcode=uncompressed"),
    WORDS(.programs = PROGRAM_SENDER, .spellings = "+dls --decompress-lossless", .means = "transcode=lossless"),
    WORDS(.programs = PROGRAM_SENDER, .spellings = "+dly --decompress-lossy", .means = "transcode=lossy"),
    WORDS(.programs = PROGRAM_SENDER | PROGRAM_ECHO, .spellings = "-m --message-id", .values = 1),
    WORDS(.programs = PROGRAM_SENDER,
          .spellings = "+crf --create-report-file --rel-sop-classes --tmp-file-dir --tmp-file-prefix --tmp-file-suffix",
          .values = 1),
    /* What storescu and dcm4che propose, in their order; "-xe", "-xi" and "-xb" are pynetdicom's: only that one. */
    WORDS(.programs = PROGRAM_SENDER, .spellings = "-x= --propose-uncompr --propose-little --explicit-vr",
          .means = "syntax=" UNCOMPRESSED),
    WORDS(.programs = PROGRAM_SENDER, .spellings = "--propose-big --big-endian", .means = "syntax=" BIG_FIRST),
    WORDS(.programs = PROGRAM_SENDER, .spellings = "--propose-implicit --implicit-vr",
          .means = "syntax=ImplicitVRLittleEndian"),
    /* And what storescp and dcmqrscp accept. */
    WORDS(.programs = SERVERS, .spellings = "+x= --prefer-uncompr +xe --prefer-little --uncompressed-only",
          .means = "accept-syntaxes=" UNCOMPRESSED),
    WORDS(.programs = SERVERS, .spellings = "+xb --prefer-big", .means = "accept-syntaxes=" BIG_FIRST),
    WORDS(.programs = SERVERS, .spellings = "+xi --implicit", .means = "accept-syntaxes=ImplicitVRLittleEndian"),
    WORDS(.programs = PROGRAM_RECEIVER, .spellings = "-xi", .means = "accept-syntaxes=ImplicitVRLittleEndian"),
    SYNTAX_WORDS("xs", "lossless", "JPEGLosslessSV1," UNCOMPRESSED, "JPEGLosslessSV1," UNCOMPRESSED),
    SYNTAX_WORDS("xy", "jpeg8", "JPEGBaseline8Bit," UNCOMPRESSED, "JPEGBaseline8Bit," UNCOMPRESSED),
    SYNTAX_WORDS("xx", "jpeg12", "JPEGExtended12Bit," UNCOMPRESSED, "JPEGExtended12Bit," UNCOMPRESSED),
    SYNTAX_WORDS("xv", "j2k-lossless", "JPEG2000Lossless," UNCOMPRESSED, "JPEG2000Lossless," UNCOMPRESSED),
    SYNTAX_WORDS("xw", "j2k-lossy", "JPEG2000," UNCOMPRESSED, "JPEG2000," UNCOMPRESSED),
    SYNTAX_WORDS("xt", "jls-lossless", "JPEGLSLossless," UNCOMPRESSED, "JPEGLSLossless," UNCOMPRESSED),
    SYNTAX_WORDS("xu", "jls-lossy", "JPEGLSNearLossless," UNCOMPRESSED, "JPEGLSNearLossless," UNCOMPRESSED),
    SYNTAX_WORDS("xr", "rle", "RLELossless," UNCOMPRESSED, "RLELossless," UNCOMPRESSED),
    SYNTAX_WORDS("xd", "deflated", "DeflatedExplicitVRLittleEndian," UNCOMPRESSED,
                 "DeflatedExplicitVRLittleEndian," UNCOMPRESSED),
    SYNTAX_WORDS("xm", "mpeg2", "MPEG2MPML", "MPEG2MPML," UNCOMPRESSED),
    SYNTAX_WORDS("xh", "mpeg2-high", "MPEG2MPHL", "MPEG2MPHL," UNCOMPRESSED),
    SYNTAX_WORDS("xn", "mpeg4", "MPEG4HP41", "MPEG4HP41," UNCOMPRESSED),
    SYNTAX_WORDS("xl", "mpeg4-bd", "MPEG4HP41BD", "MPEG4HP41BD," UNCOMPRESSED),
    SYNTAX_WORDS("x2", "mpeg4-2-2d", "MPEG4HP422D", "MPEG4HP422D," UNCOMPRESSED),
    SYNTAX_WORDS("x3", "mpeg4-2-3d", "MPEG4HP423D", "MPEG4HP423D," UNCOMPRESSED),
    SYNTAX_WORDS("xo", "mpeg4-2-st", "MPEG4HP42STEREO", "MPEG4HP42STEREO," UNCOMPRESSED),
    SYNTAX_WORDS("x4", "hevc", "HEVCMP51", "HEVCMP51," UNCOMPRESSED),
    SYNTAX_WORDS("x5", "hevc10", "HEVCM10P51", "HEVCM10P51," UNCOMPRESSED),
    WORDS(.programs = PROGRAM_SENDER, .spellings = "+cl --compression-level",
          .refused = "nothing is compressed, and zlib's usual level deflates"),
    WORDS(.programs = PROGRAM_ARCHIVE,
          .spellings = "-x= -xe -xb -xi -xs -xy -xx -xv -xw -xt -xu -xm -xh -xn -xl -x2 -x3 -xo -x4 -x5 -xr -xd "
                       "--propose-uncompr --propose-little --propose-big --propose-implicit --propose-lossless "
                       "--propose-jpeg8 --propose-jpeg12 --propose-j2k-lossless --propose-j2k-lossy "
                       "--propose-jls-lossless --propose-jls-lossy --propose-mpeg2 --propose-mpeg2-high "
                       "--propose-mpeg4 --propose-mpeg4-bd --propose-mpeg4-2-2d --propose-mpeg4-2-3d "
                       "--propose-mpeg4-2-st --propose-hevc --propose-hevc10 --propose-rle --propose-deflated "
                       "--request-little --request-big --request-implicit --explicit-vr --implicit-vr --big-endian "
                       "--transfer-syntax +dls --decompress-lossless +dly --decompress-lossy +cl --compression-level",
          .refused = "what is kept goes out as it is, or converted if the other side does not take that"),
    WORDS(.programs = PROGRAM_SENDER,
          .spellings = "+II --invent-instance +IR --invent-series +IS --invent-study +IP --invent-patient -u "
                       "--disable-new-vr -s --uid-suffix",
          .refused = "files are sent as they are, with the UIDs and values that they have"),
    WORDS(.programs = PROGRAM_SENDER, .spellings = "-nuc --no-uid-checks", .means = "allow-incomplete"),
    WORDS(.programs = PROGRAM_SENDER, .spellings = "+rn --rename",
          .refused = "files are never renamed; --ledger FILE remembers what was sent"),
    WORDS(.programs = PROGRAM_SENDER, .spellings = "--list-decoders",
          .refused = "what can be decoded stands in the manual: docs/manual/dicom-sender.md, Transfer syntaxes"),
    WORDS(.programs = PROGRAM_SENDER, .spellings = "--fail-first",
          .refused = "a file that fails does not keep the others from being sent"),

    /* ---- echoscu ---- */
    WORDS(.programs = PROGRAM_ECHO,
          .spellings =
              "-pts --propose-ts -ppc --propose-pc -xe -xb -xi --request-little --request-big --request-implicit",
          .refused = "one context for Verification is proposed"),

    /* ---- findscu, movescu, getscu, move_scu ---- */
    WORDS(.programs = ASKING, .spellings = "--keyword --query -m", .means = "key"),
    WORDS(.programs = ASKING, .spellings = "-f --file", .means = "query-file"),
    WORDS(.programs = ASKING, .spellings = "--patient", .means = "patient-root"),
    WORDS(.programs = ASKING, .spellings = "--study", .means = "study-root"),
    WORDS(.programs = ASKING, .spellings = "-x= --propose-uncompr -xe --propose-little --explicit-vr --relational"),
    WORDS(.programs = ASKING,
          .spellings = "-xi --propose-implicit -xb --propose-big -xd --propose-deflated --implicit-vr --big-endian +cl "
                       "--compression-level -u --disable-new-vr",
          .refused = "queries go in Explicit VR Little Endian, or Implicit if the peer wants that"),
    WORDS(.programs = ASKING, .spellings = "-W --worklist",
          .refused = "modality worklists are not there; --study-root and --patient-root are"),
    WORDS(.programs = ASKING, .spellings = "-O --psonly",
          .refused = "the patient/study only model is not there; --study-root and --patient-root are"),
    WORDS(.programs = ASKING, .spellings = "--repeat",
          .refused = "it is asked once; start the program as often as wanted"),
    WORDS(.programs = ASKING, .spellings = "-U --ups", .refused = "unified procedure steps are not there"),
    WORDS(.programs = ASKING, .spellings = "--fuzzy --datetime --timezone",
          .refused = "extended negotiation of queries is not there"),
    WORDS(.programs = ASKING, .spellings = "-i --in-attr",
          .refused = "-k KEY adds an attribute to those of the query file, which counts as a whole"),
    WORDS(.programs = ASKING, .spellings = "-M",
          .refused = "--study-root (the default) or --patient-root chooses the information model"),
    WORDS(.programs = PROGRAM_FINDER, .spellings = "-r", .means = "key"),
    WORDS(.programs = PROGRAM_FINDER, .spellings = "--cancel", .means = "limit"),
    WORDS(.programs = PROGRAM_FINDER,
          .spellings = "-X --extract --extract-xml -Xx -Xs --extract-xml-single -Xlo --limit-output -od "
                       "--output-directory --out-dir --out-file --out-cat --xml --xsl -x -I --indent --write -w",
          .refused = "matches go to standard output: --json or --csv, into a file with >FILE"),
    WORDS(.programs = PROGRAM_FINDER,
          .spellings = "+dc --enable-correction -dc --disable-correction +sr --show-responses -sr --hide-responses"),
    WORDS(.programs = PROGRAM_MOVER, .spellings = "--move --dest --move-destination", .means = "move-dest"),
    WORDS(.programs = PROGRAM_MOVER, .spellings = "-od --output-directory --directory", .means = "output-dir"),
    WORDS(.programs = PROGRAM_MOVER, .spellings = "--store-port", .means = "receive-port"),
    WORDS(.programs = PROGRAM_MOVER, .spellings = "--store-aet", .means = "receive-ae"),
    WORDS(.programs = PROGRAM_MOVER, .spellings = "--store", .means = "receive-port=11113"),
    WORDS(.programs = PROGRAM_MOVER, .spellings = "--cancel",
          .refused = "a retrieval goes on to its end; Ctrl-C or SIGTERM cancels it at the peer"),
    WORDS(.programs = PROGRAM_MOVER,
          .spellings = "--progress --no-port --ignore-pending -pi --pending-ignore -pr --pending-read --no-halt -B "
                       "--normal +B --bit-preserving +F --write-file +xa --accept-all -pm --promiscuous"),
    WORDS(.programs = PROGRAM_MOVER, .spellings = "--ignore",
          .refused = "what comes is kept, or cannot be accounted for"),

    /* ---- storescp, dcmqrscp and other servers ---- */
    WORDS(.programs = SERVERS, .spellings = "-od --output-directory --directory", .means = "output-dir"),
    WORDS(.programs = SERVERS, .spellings = "-ba --bind-address", .means = "bind"),
    WORDS(.programs = SERVERS, .spellings = "--calling-ae-title", .means = "ae-title"),
    WORDS(.programs = PROGRAM_RECEIVER, .spellings = "--ignore", .means = "discard"),
    WORDS(.programs = PROGRAM_RECEIVER, .spellings = "-td --dimse-timeout", .means = "network-timeout"),
    WORDS(.programs = SERVERS | PROGRAM_MOVER,
          .spellings =
              "--fork --single-process --non-blocking --strict --accept-unknown --no-subdir +fd -uca "
              "--use-called-aetitle --no-patient-study -QO --check-find -XF --check-move -XM -s -ac --access-full +xa "
              "--accept-all --all-storage -pm --promiscuous -B --normal +B --bit-preserving +F --write-file -uf "
              "--default-filenames +t= --write-xfer-same -uc --retain-un +g= --group-length-recalc +e "
              "--length-explicit --padding-off --no-check-find --no-check-move --move-unrestricted"),
    WORDS(.programs = SERVERS | PROGRAM_MOVER,
          .spellings = "-F --write-dataset +te --write-xfer-little +tb --write-xfer-big +ti --write-xfer-implicit +td "
                       "--write-xfer-deflated -u --disable-new-vr +g --group-length-create -g --group-length-remove -e "
                       "--length-undefined +p --padding-create +uc --convert-un +cl --compression-level",
          .refused = "data sets are kept byte for byte, in files with a meta header"),
    WORDS(.programs = PROGRAM_MOVER,
          .spellings = "+x= +xe +xb +xs +xy +xx +xv +xw +xt +xu +xm +xh +xn +xl +x2 +x3 +xo +x4 +x5 +xr +xd +xi "
                       "--implicit --prefer-uncompr --prefer-little --prefer-big --prefer-lossless --prefer-jpeg8 "
                       "--prefer-jpeg12 --prefer-j2k-lossless --prefer-j2k-lossy --prefer-jls-lossless "
                       "--prefer-jls-lossy --prefer-mpeg2 --prefer-mpeg2-high --prefer-mpeg4 --prefer-mpeg4-bd "
                       "--prefer-hevc --prefer-hevc10 --prefer-rle --prefer-deflated --prefer-mpeg4-2-2d "
                       "--prefer-mpeg4-2-3d --prefer-mpeg4-2-st --uncompressed-only --store-tc --store-tcs",
          .refused = "every transfer syntax is taken, and none can be preferred"),
    WORDS(.programs = SERVERS, .spellings = "--store-tc --store-tcs",
          .refused = "--accept-syntaxes says which transfer syntaxes are taken"),
    WORDS(.programs = PROGRAM_RECEIVER, .spellings = "-x= -xe -xb",
          .refused = "none is preferred of all; --accept-syntaxes says which transfer syntaxes are taken"),
    WORDS(.programs = SERVERS,
          .spellings = "--sop-classes --storage-sop-classes --query-sop-classes --retrieve-sop-classes",
          .refused = "every class of storage is taken"),
    WORDS(.programs = SERVERS | PROGRAM_MOVER,
          .spellings = "-ss --sort-conc-studies -su --sort-on-study-uid -sp --sort-on-patientname +uf "
                       "--unique-filenames --timenames +ssd --series-date-subdir +fu +fsu --short-unique-names +fst "
                       "--system-time-names -fe --filename-extension --filepath",
          .refused = "instances are kept in one folder, as <SOP Instance UID>.dcm"),
    WORDS(.programs = SERVERS | PROGRAM_MOVER,
          .spellings = "-xcr --exec-on-reception -xcs --exec-on-eostudy -rns --rename-on-eostudy -tos "
                       "--eostudy-timeout -xs --exec-sync",
          .refused = "no command is run for what comes"),
    WORDS(.programs = PROGRAM_RECEIVER, .spellings = "--refuse --reject",
          .refused = "--reject-transient N rejects the first N associations"),
    WORDS(.programs = PROGRAM_RECEIVER, .spellings = "--sleep-after --sleep-during --receive-delay",
          .refused = "--response-delay MS waits before each response"),
    WORDS(.programs = SERVERS | PROGRAM_MOVER, .spellings = "-id --inetd +ac --access-control",
          .refused = "that is not there; --bind and --ae-title say who can connect"),
    WORDS(.programs = PROGRAM_ARCHIVE, .spellings = "--ae -ae", .means = "ae-title"),
    WORDS(.programs = PROGRAM_ARCHIVE, .spellings = "-port", .means = "port"),
    WORDS(.programs = PROGRAM_ARCHIVE, .spellings = "-synthetic", .means = "synthetic"),
    WORDS(.programs = PROGRAM_ARCHIVE, .spellings = "--ignore", .refused = "an archive keeps what it takes"),
    WORDS(.programs = PROGRAM_ARCHIVE,
          .spellings = "--require-find --no-parallel-store --disable-get --allow-shutdown --refuse --reject",
          .refused = "that is not there; --max-associations says how many are served at a time"),
    WORDS(.programs = PROGRAM_ARCHIVE, .spellings = "-QP --no-patient-root -QS --no-study-root",
          .refused = "both information models are served"),
    WORDS(.programs = PROGRAM_ARCHIVE,
          .spellings = "-c --config --ae-config --dicomdir --fs-desc --fs-desc-cs --fs-id --fs-uid --record-config "
                       "--database-location --instance-location --clean",
          .refused = "no file configures the archive: --output-dir or --import says what it has, --ae-title how it is "
                     "called, --peer AE=HOST:PORT where a C-MOVE may send to"),
    WORDS(.programs = PROGRAM_ARCHIVE, .spellings = "-ZA --move-aetitle -ZH --move-host -ZV --move-vendor",
          .refused = "a C-MOVE goes to what --peer names"),
};

const struct foreign_word *foreign_word_find(enum program program, const char *spelling, size_t len)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if ((words[i].programs & program) != 0 && option_list_has(words[i].spellings, spelling, len))
            return &words[i];
    return NULL;
}

const char *foreign_word_other_meaning(enum program program, const char *spelling, const char *next)
{
    if (strcmp(spelling, "-c") == 0 && (program & REQUESTORS) != 0 && next != NULL) {
        if (strchr(next, '@') != NULL || destination_shape(next) == DESTINATION_HOST_PORT)
            return "--connect";
        return program == PROGRAM_SENDER && option_value_is_number(next) && strlen(next) <= 3 ? "--threads" : spelling;
    }
    if (strcmp(spelling, "-q") == 0 && (program & ASKING) != 0 && next != NULL)
        return query_keys_is_match(next) ? "--key" : spelling;
    if (strcmp(spelling, "-p") == 0 && program == PROGRAM_MOVER)
        return next == NULL || !option_value_is_number(next) ? "--progress" : spelling;
    return spelling;
}
