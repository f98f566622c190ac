package android.content.pm;

import phone.Phone;

public class PackageManager {
    public static final int PERMISSION_GRANTED = 0;
    public static final String FEATURE_MICROPHONE = "android.hardware.microphone";

    public boolean hasSystemFeature(String featureName) {
        return featureName.equals(FEATURE_MICROPHONE) && Phone.hasMicrophone;
    }
}
